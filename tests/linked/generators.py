"""Generators for the tests of the command line: this file is run as a program."""

from __future__ import annotations

import halopy as hl

x, y = hl.vars("x y")


@hl.alias(shifted_much={"amount": 100})
@hl.generator("shifted")
class Shifted:
    amount = hl.GeneratorParam(1)
    fast = hl.GeneratorParam(False)

    image = hl.InputBuffer(None, 2)
    factor = hl.InputScalar(int)
    out = hl.OutputBuffer(hl.Int(32), 2)

    def generate(self):
        self.add_requirement(self.factor != 0, "the factor is zero")
        self.out[x, y] = hl.i32(self.image[x, y]) * self.factor + self.amount
        if self.fast:
            self.out.parallel(y).vectorize(x, 4, hl.TailStrategy.GuardWithIf)


@hl.generator("numbers")
class Numbers:
    """Scalars of all types, and a tuple."""

    truth = hl.InputScalar(bool)
    byte = hl.InputScalar(hl.Int(8))
    word = hl.InputScalar(hl.UInt(16))
    long = hl.InputScalar(hl.Int(64))
    wide = hl.InputScalar(hl.UInt(64))
    real = hl.InputScalar(hl.Float(32))
    double = hl.InputScalar(hl.Float(64))
    out = hl.OutputBuffer([hl.Float(64), hl.UInt(64)], 1)

    def generate(self):
        n = self
        total = hl.f64(n.byte) + hl.f64(n.word) + hl.f64(n.long) + hl.f64(n.real) + n.double + hl.f64(hl.u8(n.truth))
        self.out[x] = (total, n.wide + hl.u64(x))


@hl.generator("truths")
class Truths:
    given = hl.InputBuffer(bool, 1)
    halves = hl.InputBuffer(hl.Float(16), 1)
    out = hl.OutputBuffer(bool, 1)
    twice = hl.OutputBuffer(hl.Float(16), 1)

    def generate(self):
        self.out[x] = ~self.given[x]
        self.twice[x] = self.halves[x] + self.halves[x]


@hl.generator("scheduled")
class Scheduled:
    out = hl.OutputBuffer(hl.Int(32), 2)

    def generate(self):
        self.out[x, y] = x * y
        self.out.set_estimates([(0, 640), (0, 480)])


@hl.generator("broken")
class Broken:
    out = hl.OutputBuffer(hl.Int(32), 1)

    def generate(self):
        pass


if __name__ == "__main__":
    hl.main()

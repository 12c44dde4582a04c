"""Derivatives of pipelines in reverse: from what a loss owes to each value of a Func, to what it owes to its inputs.

    f[x] = b[x] + b[x+1]        d_f   given        ->   d_b[x] = d_f[x] + d_f[x-1]

`propagate` goes over the Funcs, consumers first; `backward` over one expression by the rules of `rules`; `stages`
says what an update leaves of an adjoint; `inversion` turns reads into gathers; `adjoint` adds up what comes in.
"""

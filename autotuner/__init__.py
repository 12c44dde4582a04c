"""The search for schedules: what could be chosen, what is worth trying, and how fast it is on this machine.

    halopy tune blur --trials 100

`subject` finds the pipeline, `plan` and `space` say what can be chosen of its Funcs, `search` what is tried next,
`trial` what is done with it in a process of its own (`workers`), `records` what is known of it, `tune` all of this.
"""

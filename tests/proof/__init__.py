"""The proof that there are never two kept charges for one order, and never a lost order.

It runs the real code: PayAndSubmit, RecoverPayment, TakeBack, Reversal, Reconcile, SendEmails, Operations, the Worker,
the EventLog with its codec, and a real recorder. Around it is a simulated world (`world/`): a virtual clock, several
processes that can be killed or frozen at any await, a gateway and a mail provider with books of their own, and every
fault that they and the database can have. At the end of each run `invariants.py` compares the vendors' books with what
clients were told and with the log. The books are the oracle; our log is what is on trial.

    crash_points.py  exhaustive: a crash at every commit and every call, under every fault; then a second crash
    simulate.py      random: thousands of orders at once, with everything going wrong, from a seed
    mutants/         deliberate defects in the real code, each of which must be caught

    uv run python -m tests.proof.crash_points          what the test suite explores
    uv run python -m tests.proof.crash_points --full   the whole product, in memory, on SQLite and on PostgreSQL
    uv run python -m tests.proof.simulate --orders 1000000 --seed 1
    uv run python -m tests.proof.simulate --story --seed 7   one seed as a story, one line per step

Read `world/world.py` first, then `invariants.py`. A failing seed or scenario is printed by its name and can be run
again: the same seed gives the same bytes in the log and the same story.

What is assumed: a charge that was sent shows in the gateway's lookups within 15 minutes of its intent. One that shows
later is taken back, which is tested too. What is not simulated: HTTP, the vendors' wire formats, and clocks that differ
by more than a second; other tests see to those.
"""

"""How long this tree takes, side by side with other versions: ``python3 -m benchmarks``.

It prints and never judges: there is no threshold in here, and ``python3 -m unittest`` does not run
it. Everything that is compared is fed alike. A job is planned before the clock starts, by each
contestant's own ``plan --auto --no-critique`` with an agent that is a few lines of shell
(``agent.py``); what is timed is one ``run`` of that plan, in a copy of what planning left. The
contestants and the floor take turns within a round, so that a busy machine is busy for all of them.

The floor is what no tool can go below on this machine: the same agent, started once for each
node, and the node's test command three times (once red, twice green), in a plain loop in a plain
folder, without git, records or prompts. "x floor" is a run's wall time over that loop's, of the
same round.

====================  ==========================================================================
``one-lane``          12 nodes that are free of each other, an agent that takes no time, tests by
                      ``python3 -m unittest``: seconds for each node.
``eight-lanes``       24 such nodes in 8 lanes, an agent that takes 0.4 s, tests by ``sh``. The
                      ideal is measured, not computed: the floor's loop in 8 threads, which pays
                      for the cores of this machine as every contestant does. The share of the
                      ideal is the ideal's wall time over a run's.
``big-repository``    4 nodes in a repository of 10,000 and of 50,000 files, and of 3 files.
                      Checking out the worktree is in it, spread over the nodes.
``long-plans``        150 nodes after one (a fan) or one after another (a chain), and 12 such.
``in-memory``         validating 1,000 and 10,000 nodes and scheduling them in one lane until none
                      is left: no disk, no process but the one that computes.
``start-up``          ``--version`` and ``status`` (of a planned job of 12 nodes), less what the
                      same interpreter takes to do nothing.
``real-opencode``     6 nodes with the OpenCode on PATH and a scripted model on loopback.
====================  ==========================================================================
"""

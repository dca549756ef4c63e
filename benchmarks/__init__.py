"""What this tree costs, side by side with other versions: ``python3 -m benchmarks``.

It prints and never judges: there is no threshold in here, goals only stand beside the numbers, and
``python3 -m unittest`` does not run it. Everything that is compared is fed alike. A job is planned
before the clock starts, by each contestant's own ``plan --auto --no-critique`` with an agent that
is a few lines of shell (``agent.py``); what is measured is one ``run`` of that plan, in a copy of
what planning left, on a memory file system where there is one. ``python3`` is the interpreter
itself, never a version manager's shim, which costs more than what is measured.

The **floor**, or bare loop, is the same processes without an orchestrator: the agent, started once
for each node, and the node's test command (once red, twice green, and for a tool that does so once
more at the end), in a plain folder, without git, records or prompts. With several lanes it runs in
as many threads. Contestants and floor take turns within a round, so that a busy machine is busy
for all of them.

- **CPU beyond the bare loop**: the processor time, user and system, of a run's whole tree of
  processes, less the loop's. It is measured at two numbers of nodes: what each further node adds
  is the slope ("ms/node"), the rest is *fixed*: the price of a run in which nothing happens.
- **Walls** are shown as ratios of the same round only.
- **Counts** (programs, git by subcommand, fsyncs, opened files, looks at paths) are of one run
  more, under ``strace``; where there is none, git and syncs only are counted. They do not depend on
  the machine, but for what is done every few seconds: a trace makes a run longer.

====================  ==========================================================================
``one-lane``          6 and 36 nodes that are free of each other, an agent that takes no time,
                      tests by ``sh``: CPU for each node and of the run, counts. And the wall of
                      12 nodes with tests by ``python3 -m unittest``, over the floor's.
``eight-lanes``       24 and 72 such nodes in 8 lanes, an agent that takes 0.4 s: the bare loop's
                      wall (8 threads) over a run's, and the same of what the 48 more nodes take:
                      what a run costs by itself is in neither wall then.
``big-repository``    2 and 10 nodes, tests by unittest, in a repository of 3, 10,000 and 50,000
                      files: CPU for each node, agent and tests included, and over that of 3
                      files. Filling the worktrees is in the fixed part.
``long-plans``        150 nodes after one (a fan) or one after another (a chain), and a fan of
                      1,000: CPU for each node, fixed part included; director's own memory.
``in-memory``         validating 1,000 and 10,000 nodes and scheduling them in one lane until none
                      is left: no disk, no process but the one that computes.
``start-up``          ``--version`` and ``status`` (of a planned job of 12 nodes), less what the
                      same interpreter takes to do nothing.
``status``            ``status`` of jobs of 1,000 and 10,000 nodes while 200 lanes are at work.
``real-opencode``     6 nodes with the OpenCode on PATH and a scripted model on loopback.
====================  ==========================================================================
"""

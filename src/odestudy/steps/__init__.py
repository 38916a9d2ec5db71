"""What the workflow's rules do: one step is one job, table, figure or report.

client.py    asks the server for a step, or takes it itself where there is none
server.py    has imported everything once, and forks a process for each step
supervisor.py    stays beside the step, and ends it with its client, its run or its time
take.py      what each step does
"""

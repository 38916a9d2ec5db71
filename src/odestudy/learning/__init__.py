"""Training of nets on images: loop, schedule, checkpoints that survive a kill; `attempt` records any task's failure."""

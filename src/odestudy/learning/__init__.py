"""One train loop for every net: data on the device, schedule, early failure, checkpoints that survive a kill."""

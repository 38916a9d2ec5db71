"""Networks that are learnt: dynamics, image classifiers and forecasters of time series."""

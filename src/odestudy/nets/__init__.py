"""Networks that are learnt: dynamics and image classifiers."""

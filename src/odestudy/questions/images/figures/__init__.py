"""One file a figure; nothing that computes imports these."""

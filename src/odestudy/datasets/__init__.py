"""Data sets of images, with checksums and clear words where a file is missing."""

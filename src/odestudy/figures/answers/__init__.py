"""The six pictures of the first page: one message each, direct labels, light and dark."""

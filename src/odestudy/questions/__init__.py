"""One module a question: each entry of TASKS takes a specification and a device and returns an Outcome."""

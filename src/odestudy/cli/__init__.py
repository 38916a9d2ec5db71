"""The command `odestudy`, one module a subcommand."""

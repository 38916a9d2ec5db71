"""The report: what its templates may say, Markdown, HTML and PDF."""

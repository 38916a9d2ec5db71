"""From metrics to what a reader sees: tables, ledger, figures, report. What computes never imports this package."""

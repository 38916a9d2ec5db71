"""From metrics to numbers: tables, statistics, and the ledger of verdicts."""

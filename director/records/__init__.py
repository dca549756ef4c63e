"""Everything under ``.director/``: atomic files, journals, the ledger, the state, the lock."""

"""Source -> store, one transaction each."""

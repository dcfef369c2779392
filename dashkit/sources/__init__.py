"""Where records come from: one file per source, bytes or files in, records out."""

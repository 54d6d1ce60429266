"""Pure parts of recall: filters, scoring, packing."""

"""Pure rules of facts: reading them, laying them out in time, finding contradictions."""

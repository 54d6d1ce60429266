"""What suites of papers measure, as plain computing."""

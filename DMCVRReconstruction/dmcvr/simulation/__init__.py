"""Hearts with exact truth and their cine MR."""

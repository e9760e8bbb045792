"""What a run leaves on disk: record, files, report."""

"""Text: files to clean documents to ids on disk to batches."""

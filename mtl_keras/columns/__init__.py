"""Columns of a table: their values, dtypes and missing cells."""

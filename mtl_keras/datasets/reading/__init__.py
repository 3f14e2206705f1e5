"""Reads files of your own: tables, arrays and folders of images."""

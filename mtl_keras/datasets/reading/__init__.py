"""Reads tables, arrays, folders of images and sentences."""

"""Tests of spec/reference_decoder.py, by topic; test_reference.py runs them."""

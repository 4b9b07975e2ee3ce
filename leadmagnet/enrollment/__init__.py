"""Confirmed subscriber -> enrollment -> the next due delivery, one step ahead.

Must not know: how emails look or leave.
"""

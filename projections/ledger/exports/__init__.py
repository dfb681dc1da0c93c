"""The journal in files, for spreadsheets, for analysis and for plain-text accounting: one file per format.

`writing.py` reads the entries once, in the order of the log, and hands each to every writer that is wanted; memory
stays flat whatever their number. `manifest.py` says what was written. Amounts are decimals with two places, made from
whole cents. There are ids in the files and no personal data.
"""

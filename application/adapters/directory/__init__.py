"""The directory in SQL: reference data that other systems own, imported from a file and read on every request.

Reading: start at `reads.py`; `tables.py` holds the tables, `rows.py` turns rows into records and back.
Importing: `import_file.py` reads a file (`import_json.py` its syntax, `import_format.py` the format,
`import_entries.py` one entry, `import_checks.py` what holds between entries); `import_write.py` writes it.
One import is one transaction.
Imported by the composition root and by the use case that imports a file.
"""

from application.adapters.directory.import_file import read_import
from application.adapters.directory.import_values import (
    DirectoryImport,
    ImportedApiService,
    ImportedApplication,
    ImportedRoute,
    ImportedSession,
    InvalidImport,
)
from application.adapters.directory.import_write import ImportReport, SectionReport
from application.adapters.directory.reads import SqlDirectory
from application.adapters.directory.tables import create_tables

__all__ = [
    "DirectoryImport",
    "ImportReport",
    "ImportedApiService",
    "ImportedApplication",
    "ImportedRoute",
    "ImportedSession",
    "InvalidImport",
    "SectionReport",
    "SqlDirectory",
    "create_tables",
    "read_import",
]

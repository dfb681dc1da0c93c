"""The directory in SQL: reference data that other systems own, imported from a file and read on every request.

Start at `reads.py`. `import_format.py` is the file's format, `import_file.py` reads and checks one, `import_write.py`
writes it in one transaction, `tables.py` holds the tables. Imported by the composition root and the import use case.
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

"""Views: named selections of fields that an answer shows. One file per object."""

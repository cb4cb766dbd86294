-- Effect: read the size of a page in bytes, the number of pages, and how many of them are free.
-- Locks: none. Index: none.
-- Only SQLite: on PostgreSQL, vacuum frees space, see doctor_tables there.
SELECT page_size, page_count, freelist_count
FROM pragma_page_size, pragma_page_count, pragma_freelist_count

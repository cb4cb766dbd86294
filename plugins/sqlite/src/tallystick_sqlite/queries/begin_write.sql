-- Effect: begin a transaction that writes.
-- Locks: the write lock at once. A transaction that first reads and then writes could be refused halfway.
BEGIN IMMEDIATE

-- Effect: begin a write transaction.
-- Locks: the write lock, at once. A transaction that reads first and then writes may fail halfway.
BEGIN IMMEDIATE

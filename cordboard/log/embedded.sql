-- The embedded log's tables and queries. Each begins with its name and a sentence; store.py reads them by name.

-- schema --
-- Everything the log keeps. `record.sequence` is the order of writing, so that one commit touches neighbouring pages
-- however many partitions it concerns; the unique index is the way in by partition and offset. `start` is the oldest
-- offset kept, `start_ms` no less than the time of anything that retention took away. `page` has a rowid although it
-- has a key: pages are wide, and in a rowid table a wide row is written once instead of spilling.
CREATE TABLE setting (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
CREATE TABLE source (
    id INTEGER PRIMARY KEY,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    start INTEGER NOT NULL DEFAULT 0,
    start_ms INTEGER NOT NULL DEFAULT 0,
    UNIQUE (topic, partition)
) STRICT;
CREATE TABLE record (
    sequence INTEGER PRIMARY KEY,
    source INTEGER NOT NULL,
    "offset" INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    key BLOB,
    value BLOB NOT NULL,
    headers BLOB
) STRICT;
CREATE UNIQUE INDEX record_place ON record (source, "offset");
CREATE TABLE page (partition INTEGER NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, UNIQUE (partition, key)) STRICT;
CREATE TABLE claim (partition INTEGER PRIMARY KEY, epoch INTEGER NOT NULL) STRICT;
CREATE TABLE position (
    partition INTEGER NOT NULL,
    topic TEXT NOT NULL,
    next_offset INTEGER NOT NULL,
    PRIMARY KEY (partition, topic)
) STRICT, WITHOUT ROWID;
CREATE TABLE committed (
    consumer_group TEXT NOT NULL,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next_offset INTEGER NOT NULL,
    PRIMARY KEY (consumer_group, topic, partition)
) STRICT, WITHOUT ROWID;

-- settings --
-- Every stored setting.
SELECT name, value FROM setting;

-- set_setting --
-- Store one setting.
INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- sources --
-- Every partition of every topic, with the offset and time from which it goes on.
SELECT
    id, topic, partition, start, start_ms,
    (SELECT max("offset") FROM record WHERE source = source.id) AS last_offset
FROM source;

-- add_source --
-- Create one partition of a topic.
INSERT INTO source (topic, partition) VALUES (?, ?);

-- latest_ms --
-- The time of the newest record: times grow with the order of writing.
SELECT time_ms FROM record ORDER BY sequence DESC LIMIT 1;

-- add_record --
-- Append one record.
INSERT INTO record (source, "offset", time_ms, key, value, headers) VALUES (?, ?, ?, ?, ?, ?);

-- records --
-- A partition's records from an offset on, oldest first.
SELECT "offset", time_ms, key, value, headers FROM record WHERE source = ? AND "offset" >= ? ORDER BY "offset" LIMIT ?;

-- time_at --
-- When the record at an offset was taken.
SELECT time_ms FROM record WHERE source = ? AND "offset" = ?;

-- trim --
-- Forget a partition's records below an offset.
DELETE FROM record WHERE source = ? AND "offset" < ?;

-- set_start --
-- Remember where a partition begins now, and the time that was reached there.
UPDATE source SET start = ?, start_ms = ? WHERE id = ?;

-- put_page --
-- Write a page, new or anew.
INSERT INTO page (partition, key, value) VALUES (?, ?, ?)
ON CONFLICT (partition, key) DO UPDATE SET value = excluded.value;

-- drop_page --
-- Delete a page.
DELETE FROM page WHERE partition = ? AND key = ?;

-- pages --
-- A partition's pages after a key, in the order of keys.
SELECT key, value FROM page WHERE partition = ? AND key > ? ORDER BY key LIMIT ?;

-- claims --
-- The last claim on every partition that was ever owned.
SELECT partition, epoch FROM claim;

-- set_claim --
-- Store the last claim on a partition.
INSERT INTO claim (partition, epoch) VALUES (?, ?) ON CONFLICT (partition) DO UPDATE SET epoch = excluded.epoch;

-- positions --
-- Every owner's positions in its inputs.
SELECT partition, topic, next_offset FROM position;

-- set_position --
-- Store an owner's position in one input.
INSERT INTO position (partition, topic, next_offset) VALUES (?, ?, ?)
ON CONFLICT (partition, topic) DO UPDATE SET next_offset = excluded.next_offset;

-- commits --
-- Every group's committed offsets.
SELECT consumer_group, topic, partition, next_offset FROM committed;

-- set_commit --
-- Store a group's offset in one partition.
INSERT INTO committed (consumer_group, topic, partition, next_offset) VALUES (?, ?, ?, ?)
ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET next_offset = excluded.next_offset;

-- has_topics --
-- How many partitions there are of some topics.
SELECT count(*) FROM source WHERE topic GLOB ?;

-- furthest_start --
-- The highest offset at which any partition begins.
SELECT max(start) FROM source;

-- empty_sources --
-- Have the partitions of some topics begin behind their last record, at a time.
UPDATE source SET
    start = coalesce((SELECT max("offset") + 1 FROM record WHERE source = source.id), start),
    start_ms = max(start_ms, ?)
WHERE topic GLOB ?;

-- empty_records --
-- Forget all records of some topics.
DELETE FROM record WHERE source IN (SELECT id FROM source WHERE topic GLOB ?);

-- move_records --
-- Move every partition to where it begins from now on.
UPDATE record SET "offset" = "offset" + ? - (SELECT start FROM source WHERE id = record.source);

-- move_positions --
-- The same for the positions of owners.
UPDATE position SET next_offset = next_offset + coalesce(
    ? - (SELECT start FROM source WHERE source.topic = position.topic AND source.partition = position.partition), 0
);

-- move_commits --
-- The same for the offsets of groups.
UPDATE committed SET next_offset = next_offset + coalesce(
    ? - (SELECT start FROM source WHERE source.topic = committed.topic AND source.partition = committed.partition), 0
);

-- move_starts --
-- Every partition begins there.
UPDATE source SET start = ?;

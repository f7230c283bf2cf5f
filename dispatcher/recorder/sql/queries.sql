-- The recorder's queries, for SQLite and PostgreSQL alike. Each begins with its name and a sentence.

-- create_migrations --
-- Where it is noted which of the numbered files have been run.
CREATE TABLE IF NOT EXISTS migration (number BIGINT NOT NULL PRIMARY KEY);

-- migrations --
-- Which have.
SELECT number FROM migration ORDER BY number;

-- note_migration --
-- One has.
INSERT INTO migration (number) VALUES ($1);

-- sources --
-- How far everything is recorded.
SELECT id, topic, part, next_place FROM source;

-- add_source --
-- Begin to record a partition.
INSERT INTO source (id, topic, part, next_place)
SELECT coalesce(max(id), 0) + 1, CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS BIGINT) FROM source WHERE true
ON CONFLICT (topic, part) DO NOTHING;

-- advance --
-- Go on from where we believe that we are: where another recorder has written meanwhile, nothing is returned.
UPDATE source SET next_place = $1, missed = missed + $2 WHERE id = $3 AND next_place = $4 RETURNING id;

-- tell_story --
-- A call, as far as a batch tells of it; whatever the order in which records are read, the same comes of it.
INSERT INTO story (
    call, account, direction, from_number, to_number, leg, session, dial, led_to, outcome,
    first_ms, last_ms, heard_ms, answered_ms, ended_ms
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (call) DO UPDATE SET
    -- Whose a call is, its events say; commands, which may be refused, only where nothing has said it yet.
    account = CASE
        WHEN excluded.account <> '' AND (story.account = '' OR excluded.heard_ms > 0) THEN excluded.account
        ELSE story.account
    END,
    direction = CASE WHEN excluded.direction <> '' THEN excluded.direction ELSE story.direction END,
    from_number = CASE
        WHEN excluded.from_number <> '' AND story.forgotten_ms = 0 THEN excluded.from_number ELSE story.from_number
    END,
    to_number = CASE
        WHEN excluded.to_number <> '' AND story.forgotten_ms = 0 THEN excluded.to_number ELSE story.to_number
    END,
    leg = CASE WHEN excluded.leg <> '' THEN excluded.leg ELSE story.leg END,
    session = CASE WHEN excluded.session <> '' THEN excluded.session ELSE story.session END,
    dial = CASE WHEN excluded.dial <> '' THEN excluded.dial ELSE story.dial END,
    led_to = CASE WHEN excluded.led_to <> '' THEN excluded.led_to ELSE story.led_to END,
    outcome = CASE WHEN excluded.outcome <> '' THEN excluded.outcome ELSE story.outcome END,
    first_ms = CASE WHEN excluded.first_ms < story.first_ms THEN excluded.first_ms ELSE story.first_ms END,
    last_ms = CASE WHEN excluded.last_ms > story.last_ms THEN excluded.last_ms ELSE story.last_ms END,
    heard_ms = CASE WHEN excluded.heard_ms > story.heard_ms THEN excluded.heard_ms ELSE story.heard_ms END,
    answered_ms = CASE WHEN story.answered_ms > 0 THEN story.answered_ms ELSE excluded.answered_ms END,
    ended_ms = CASE WHEN story.ended_ms > 0 THEN story.ended_ms ELSE excluded.ended_ms END
RETURNING call, forgotten_ms;

-- take_after_dial --
-- A call that a dial led to is found by the dial's numbers, and forgotten with it.
UPDATE story SET
    from_number = CASE
        WHEN dialled.forgotten_ms > 0 THEN '' WHEN story.from_number <> '' THEN story.from_number
        ELSE dialled.from_number
    END,
    to_number = CASE
        WHEN dialled.forgotten_ms > 0 THEN '' WHEN story.to_number <> '' THEN story.to_number
        ELSE dialled.to_number
    END,
    forgotten_ms = dialled.forgotten_ms
FROM story AS dialled
WHERE story.call = $1 AND story.forgotten_ms = 0 AND dialled.call = story.dial
RETURNING story.call, story.forgotten_ms;

-- add_entry --
-- One record.
INSERT INTO entry (
    source, place, call, time_ms, kind, command_id, account, action, state, reason, sender, attempt, content
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- story --
-- A call.
SELECT * FROM story WHERE call = $1;

-- entries --
-- What was recorded of a call, the latest first: so that of an endless one the end is told.
SELECT
    source.topic, source.part, entry.place, entry.call, entry.time_ms, entry.kind, entry.command_id, entry.account,
    entry.action, entry.state, entry.reason, entry.sender, entry.attempt, entry.content
FROM entry JOIN source ON source.id = entry.source
WHERE entry.call = $1
ORDER BY entry.time_ms DESC, entry.place DESC LIMIT $2;

-- forget_story --
-- Take the numbers from a call, and remember that it is forgotten.
UPDATE story SET from_number = '', to_number = '', forgotten_ms = $2 WHERE call = $1 AND forgotten_ms = 0;

-- forget_entries --
-- Take the contents from what was recorded of a call.
UPDATE entry SET content = '' WHERE call = $1 AND content <> '' RETURNING place;

-- old_stories --
-- Calls of which nothing was recorded since a time, the oldest first.
SELECT call FROM story WHERE first_ms < $1 AND last_ms < $1 ORDER BY first_ms LIMIT $2;

-- drop_story --
-- A call that is still as old as it was found.
DELETE FROM story WHERE call = $1 AND last_ms < $2 RETURNING call;

-- drop_entries --
-- All that was recorded of a call.
DELETE FROM entry WHERE call = $1;

-- by_time --
-- Calls, the latest first. All searches take: account, outcome, first and last time, the time and name of the call that
-- they go on behind, how many.
SELECT * FROM story
WHERE $1 = '' AND $2 = '' AND first_ms >= $3 AND first_ms <= $4
    AND (first_ms <> $5 OR call < $6) AND led_to = ''
ORDER BY first_ms DESC, call DESC LIMIT $7;

-- by_account --
-- Those of an account.
SELECT * FROM story
WHERE account = $1 AND $2 = '' AND first_ms >= $3 AND first_ms <= $4
    AND (first_ms <> $5 OR call < $6) AND led_to = ''
ORDER BY first_ms DESC, call DESC LIMIT $7;

-- by_outcome --
-- Those that ended so.
SELECT * FROM story
WHERE $1 = '' AND outcome = $2 AND first_ms >= $3 AND first_ms <= $4
    AND (first_ms <> $5 OR call < $6) AND led_to = ''
ORDER BY first_ms DESC, call DESC LIMIT $7;

-- by_account_and_outcome --
-- Those of an account that ended so.
SELECT * FROM story
WHERE account = $1 AND outcome = $2 AND first_ms >= $3 AND first_ms <= $4
    AND (first_ms <> $5 OR call < $6) AND led_to = ''
ORDER BY first_ms DESC, call DESC LIMIT $7;

-- by_caller --
-- Those that a number made; account and outcome may be empty.
SELECT * FROM story
WHERE from_number = $8 AND ($1 = '' OR account = $1) AND ($2 = '' OR outcome = $2)
    AND first_ms >= $3 AND first_ms <= $4 AND (first_ms <> $5 OR call < $6) AND led_to = ''
ORDER BY first_ms DESC, call DESC LIMIT $7;

-- by_callee --
-- Those that went to a number; account and outcome may be empty.
SELECT * FROM story
WHERE to_number = $8 AND ($1 = '' OR account = $1) AND ($2 = '' OR outcome = $2)
    AND first_ms >= $3 AND first_ms <= $4 AND (first_ms <> $5 OR call < $6) AND led_to = ''
ORDER BY first_ms DESC, call DESC LIMIT $7;

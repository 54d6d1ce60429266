"""The two arms of the recall statement, as constant pieces of SQL.

What the pieces rely on:

* ``… + 0`` in an ORDER BY keeps an approximate index from answering an exact scan.
* ``OFFSET 0`` fences a LATERAL, so that postings are read by key and never joined as a whole.
* Bound numbers of the formulas are floats and literals are cast to double precision: a bare
  literal would turn the formula into ``numeric``.
* A key's ordinal is its memory's, unless it is negative; only then it is looked up.
* Ties are broken by ordinal everywhere, so that results repeat. BM25 is rounded first: equal
  sums may differ in their last bits by the order in which their terms were added.

``…_0`` stands for the tables of the embedding model.

The keyword arm's best ``sure`` memories are exactly those of full BM25, though seldom all postings
are read (Source: MaxScore; Turtle and Flood, Query evaluation: strategies and optimizations, 1995.
Deviation: in sets instead of document by document). Terms are taken rarest first:

1. ``ta``: terms are read in full while they stay within the budget, at least the rarest.
2. ``th``: the best keys of these are completed by look-ups; the score of the last sure memory is
   ``least``: what scores less can be none of them. ``reach`` of a term bounds what it and all more
   frequent ones can add.
3. ``tb``: terms whose reach is a notable share of ``least`` are read in full as well. A key with
   none of the terms read cannot be among the sure ones then.
4. ``c1``: the best keys, and every key that the terms left (``tr``) could lift to ``least``;
   ``lk`` completes them by look-ups.

How often a frequent stem occurs, and how much it can add at most, is known in advance for large
owners (``stem_counts``); what was written since is counted.
"""

# All postings of a question's terms: quickest while an owner has few.
LEXICAL = """
    st AS MATERIALIZED (
        SELECT CAST(keys AS float8) AS n, CAST(sum_dl AS float8) / greatest(keys, 1) AS avgdl
        FROM owner_stats WHERE owner_id = :owner_id
    ), qt AS MATERIALIZED (
        SELECT q.lexeme,
            ln(1 + (n - d.df + CAST(0.5 AS float8)) / (d.df + CAST(0.5 AS float8)))
                * (:k1 + 1) AS wt,
            :k1 * (1 - :b) AS ka,
            :k1 * :b / greatest(avgdl, 1) AS kb
        FROM (SELECT lexeme COLLATE "C" AS lexeme
              FROM unnest(to_tsvector(CAST(:config AS regconfig), :query))) q
        CROSS JOIN LATERAL (
            SELECT count(*) AS df FROM postings WHERE owner_id = :owner_id AND lexeme = q.lexeme
            OFFSET 0) d, st
        WHERE d.df > 0
    ), lk AS MATERIALIZED (
        SELECT key_ordinal, CAST(sum(wt * tf / (tf + ka + kb * dl)) AS float4) AS s
        FROM qt CROSS JOIN LATERAL (
            SELECT key_ordinal, tf, dl FROM postings
            WHERE owner_id = :owner_id AND lexeme = qt.lexeme OFFSET 0) p
        WHERE true /*lexical_filter*/
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT :lexical_keys
    )"""

# As many postings as it takes to be sure of the best.
LEXICAL_OF_MANY = """
    st AS MATERIALIZED (
        SELECT CAST(s.keys AS float8) AS n,
            CAST(s.sum_dl AS float8) / greatest(s.keys, 1) AS avgdl,
            :k1 * (1 - :b) AS ka,
            :k1 * :b / greatest(CAST(s.sum_dl AS float8) / greatest(s.keys, 1), 1) AS kb,
            coalesce(c.lowest, 0) AS lowest, coalesce(c.highest, 0) AS highest
        FROM owner_stats s
        LEFT JOIN covered_keys c ON c.owner_id = :owner_id AND c.index_name = 'stems'
        WHERE s.owner_id = :owner_id
    ), qs AS MATERIALIZED (
        SELECT lexeme, df, most_tf, least_dl,
            ln(1 + (n - df + CAST(0.5 AS float8)) / (df + CAST(0.5 AS float8))) * (:k1 + 1) AS wt,
            ka, kb
        FROM (
            SELECT q.lexeme, coalesce(c.keys, 0) + d.df + f.df AS df, n, ka, kb,
                CASE WHEN c.keys > 0 THEN greatest(c.most_tf, f.most_tf) END AS most_tf,
                CASE WHEN c.keys > 0 THEN least(c.least_dl, f.least_dl) END AS least_dl
            FROM (SELECT lexeme COLLATE "C" AS lexeme
                  FROM unnest(to_tsvector(CAST(:config AS regconfig), :query))) q
            CROSS JOIN st
            LEFT JOIN LATERAL (
                SELECT keys, most_tf, least_dl FROM stem_counts
                WHERE owner_id = :owner_id AND lexeme = q.lexeme OFFSET 0) c ON true
            CROSS JOIN LATERAL (
                SELECT count(*) AS df FROM postings
                WHERE owner_id = :owner_id AND lexeme = q.lexeme AND c.keys IS NULL OFFSET 0) d
            CROSS JOIN LATERAL (
                SELECT count(*) AS df, max(tf) AS most_tf, min(CAST(dl AS float8) / tf) AS least_dl
                FROM (
                    SELECT tf, dl FROM postings WHERE owner_id = :owner_id AND lexeme = q.lexeme
                        AND c.keys IS NOT NULL AND key_ordinal > st.highest
                    UNION ALL
                    SELECT tf, dl FROM postings WHERE owner_id = :owner_id AND lexeme = q.lexeme
                        AND c.keys IS NOT NULL AND key_ordinal < st.lowest) later
                OFFSET 0) f
        ) counted WHERE df > 0
    ), qt AS MATERIALIZED (
        SELECT lexeme, wt, ka, kb, rn = 1 OR cum <= :budget AS is_first,
            sum(wt * coalesce(CAST(1.000001 AS float8)
                / (1 + ka / most_tf + kb * least_dl), 1)) OVER (ORDER BY rn DESC) AS reach
        FROM (SELECT *, sum(df) OVER w AS cum, row_number() OVER w AS rn
              FROM qs WINDOW w AS (ORDER BY df, lexeme)) ranked
    ), ta AS MATERIALIZED (
        SELECT key_ordinal, sum(wt * tf / (tf + ka + kb * dl)) AS s
        FROM qt CROSS JOIN LATERAL (
            SELECT key_ordinal, tf, dl FROM postings
            WHERE owner_id = :owner_id AND lexeme = qt.lexeme OFFSET 0) p
        WHERE is_first /*lexical_filter*/
        GROUP BY 1
    ), th AS MATERIALIZED (
        SELECT coalesce((
            SELECT max(s) FROM (
                SELECT key_ordinal, s + coalesce((
                    SELECT sum(wt * tf / (tf + ka + kb * dl))
                    FROM qt CROSS JOIN LATERAL (
                        SELECT tf, dl FROM postings
                        WHERE owner_id = :owner_id AND lexeme = qt.lexeme
                            AND key_ordinal = a.key_ordinal OFFSET 0) p
                    WHERE NOT is_first), 0) AS s
                FROM (SELECT key_ordinal, s FROM ta ORDER BY 2 DESC, 1 LIMIT 2 * :sure) a) k
            GROUP BY CASE WHEN key_ordinal > 0 THEN key_ordinal ELSE (
                SELECT memory_ordinal FROM memory_keys m
                WHERE m.owner_id = :owner_id AND m.ordinal = key_ordinal) END
            ORDER BY 1 DESC OFFSET :sure - 1 LIMIT 1), 0) AS least
        WHERE EXISTS (SELECT FROM qt WHERE NOT is_first)
    ), tb AS MATERIALIZED (
        SELECT key_ordinal, sum(s) AS s FROM (
            SELECT key_ordinal, s FROM ta
            UNION ALL
            SELECT key_ordinal, wt * tf / (tf + ka + kb * dl)
            FROM qt CROSS JOIN th CROSS JOIN LATERAL (
                SELECT key_ordinal, tf, dl FROM postings
                WHERE owner_id = :owner_id AND lexeme = qt.lexeme OFFSET 0) p
            WHERE NOT is_first AND reach >= :notable * least /*lexical_filter*/) u
        WHERE EXISTS (SELECT FROM qt, th WHERE NOT is_first AND reach >= :notable * least)
        GROUP BY 1
    ), tr AS MATERIALIZED (
        SELECT lexeme, wt, ka, kb, reach, least FROM qt CROSS JOIN th
        WHERE NOT is_first AND reach < :notable * least
    ), kt AS (
        SELECT key_ordinal, s FROM tb
        UNION ALL
        SELECT key_ordinal, s FROM ta
        WHERE NOT EXISTS (SELECT FROM qt, th WHERE NOT is_first AND reach >= :notable * least)
    ), c1 AS MATERIALIZED (
        (SELECT key_ordinal, s FROM kt ORDER BY 2 DESC, 1 LIMIT :lexical_keys)
        UNION
        SELECT key_ordinal, s FROM kt
        WHERE s >= (SELECT (max(least) - max(reach)) * CAST(0.999999 AS float8) FROM tr)
    ), lk AS MATERIALIZED (
        SELECT key_ordinal, CAST(s + coalesce((
            SELECT sum(wt * tf / (tf + ka + kb * dl))
            FROM tr CROSS JOIN LATERAL (
                SELECT tf, dl FROM postings WHERE owner_id = :owner_id AND lexeme = tr.lexeme
                    AND key_ordinal = c1.key_ordinal OFFSET 0) p), 0) AS float4) AS s
        FROM c1
    )"""

BEST_MEMORIES = """
    , lx AS MATERIALIZED (
        SELECT ordinal, s, row_number() OVER (ORDER BY s DESC, ordinal) AS r FROM (
            SELECT ordinal, max(s) AS s FROM (
                SELECT CASE WHEN key_ordinal > 0 THEN key_ordinal ELSE (
                    SELECT memory_ordinal FROM memory_keys k
                    WHERE k.owner_id = :owner_id AND k.ordinal = key_ordinal) END AS ordinal, s
                FROM lk) mapped
            GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT :depth) best
    )"""

QUERY_VECTOR = """
    , qv AS MATERIALIZED (SELECT CAST(:vector AS halfvec) AS v)"""

EXACT = """
    , dk AS MATERIALIZED (
        SELECT key_ordinal, (vector <=> (SELECT v FROM qv)) + 0 AS d
        FROM embeddings_0 p WHERE owner_id = :owner_id /*dense_filter*/
        ORDER BY 2, 1 LIMIT :dense_keys
    )"""

_BY_BITS = """
    , cand AS MATERIALIZED (
        SELECT key_ordinal FROM embedding_bits_0 p WHERE owner_id = :owner_id /*dense_filter*/
        ORDER BY (bits <~> (SELECT binary_quantize(v) FROM qv)) + 0, key_ordinal
        LIMIT :bit_candidates
    )"""

# The index knows the keys from ``lowest`` to ``highest``, but for those written again since.
_BY_HNSW = """
    , cv AS MATERIALIZED (
        SELECT coalesce(c.lowest, 0) AS lowest, coalesce(c.highest, 0) AS highest,
            c.highest IS NOT NULL AS is_there,
            least(:bit_candidates, greatest(:later_candidates, (s.last_ordinal + s.last_extra_key
                - coalesce(c.highest - c.lowest, 0)) / 16)) AS later
        FROM owner_stats s
        LEFT JOIN covered_keys c ON c.owner_id = :owner_id AND c.index_name = 'hnsw_0'
        WHERE s.owner_id = :owner_id
    ), cand AS MATERIALIZED (
        SELECT key_ordinal FROM cv CROSS JOIN LATERAL nearest_by_hnsw(
            :model_id, :owner_id, (SELECT v FROM qv), :hnsw_candidates, :hnsw_ef) p
        WHERE is_there /*dense_filter*/
        UNION
        SELECT key_ordinal FROM uncovered_keys p
        WHERE owner_id = :owner_id AND model_id = :model_id /*dense_filter*/
        UNION
        (SELECT key_ordinal FROM lk ORDER BY s DESC, key_ordinal LIMIT 2 * :near)
        UNION
        (SELECT key_ordinal FROM embedding_bits_0 p
        WHERE owner_id = :owner_id AND key_ordinal > (SELECT highest FROM cv) /*dense_filter*/
        ORDER BY (bits <~> (SELECT binary_quantize(v) FROM qv)) + 0, key_ordinal
        LIMIT (SELECT later FROM cv))
        UNION
        (SELECT key_ordinal FROM embedding_bits_0 p
        WHERE owner_id = :owner_id AND key_ordinal < (SELECT lowest FROM cv) /*dense_filter*/
        ORDER BY (bits <~> (SELECT binary_quantize(v) FROM qv)) + 0, key_ordinal
        LIMIT (SELECT later FROM cv))
    )"""

_RERANKED = """
    , dk AS MATERIALIZED (
        SELECT cand.key_ordinal, (x.vector <=> (SELECT v FROM qv)) + 0 AS d
        FROM cand CROSS JOIN LATERAL (
            SELECT vector FROM embeddings_0
            WHERE owner_id = :owner_id AND key_ordinal = cand.key_ordinal OFFSET 0) x
        ORDER BY 2, 1 LIMIT :dense_keys
    )"""

BITS = _BY_BITS + _RERANKED
HNSW = _BY_HNSW + _RERANKED

NEAREST_MEMORIES = """
    , de AS MATERIALIZED (
        SELECT ordinal, d, row_number() OVER (ORDER BY d, ordinal) AS r FROM (
            SELECT ordinal, min(d) AS d FROM (
                SELECT CASE WHEN key_ordinal > 0 THEN key_ordinal ELSE (
                    SELECT memory_ordinal FROM memory_keys k
                    WHERE k.owner_id = :owner_id AND k.ordinal = key_ordinal) END AS ordinal, d
                FROM dk) mapped
            GROUP BY 1 ORDER BY 2, 1 LIMIT :depth) best
    )"""

NO_DENSE = """
    , de AS MATERIALIZED (
        SELECT CAST(NULL AS integer) AS ordinal, CAST(NULL AS float8) AS d,
            CAST(NULL AS bigint) AS r WHERE false
    )"""

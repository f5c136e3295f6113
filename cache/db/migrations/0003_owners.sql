-- 0003: whose inventory a row is, and in which cluster. Don't change this file once released: add the next number.

ALTER TABLE owned RENAME TO owned_by_kustomizations;

-- What an object has applied, or is about to apply (wished = 0).
CREATE TABLE owned (
    kind              TEXT    NOT NULL,       -- of the owner: "Kustomization"
    namespace         TEXT    NOT NULL,       -- of the owner
    name              TEXT    NOT NULL,
    cluster           TEXT    NOT NULL,       -- where it was applied; '' = the cluster of the daemon itself
    id                TEXT    NOT NULL,       -- "<namespace>_<name>_<group>_<kind>"
    version           TEXT    NOT NULL,
    uid               TEXT    NOT NULL,
    resource_version  TEXT    NOT NULL,
    wished            INTEGER NOT NULL,
    fields            INTEGER NOT NULL,
    PRIMARY KEY (kind, namespace, name, cluster, id)
) STRICT, WITHOUT ROWID;

INSERT INTO owned(kind, namespace, name, cluster, id, version, uid, resource_version, wished, fields)
SELECT 'Kustomization', namespace, name, '', id, version, uid, resource_version, wished, fields FROM owned_by_kustomizations;

DROP TABLE owned_by_kustomizations;

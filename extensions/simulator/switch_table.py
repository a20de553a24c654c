# Copyright: Contributors to mirrorops.event_streams
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every behaviour of the real service that no source settles, as one table of switches.

``friendly`` is the value used when a scenario says nothing, ``nasty`` the one used by the scenario ``nasty``.
"""

from __future__ import annotations

from typing import NamedTuple


class Switch(NamedTuple):
    """One open question about the service and its possible answers."""

    name: str
    friendly: str
    nasty: str
    values: tuple[str, ...]
    api_section: str
    meaning: str


SWITCHES: tuple[Switch, ...] = (
    # IAM: tokens
    Switch("unknown_key_status", "400", "401", ("400", "401"), "1.5", "status of an unknown API key"),
    Switch("token_error_shape", "bxnim", "trace", ("bxnim", "trace"), "1.5", "shape of token errors"),
    # IAM: policies
    Switch(
        "policy_store",
        "as_sent",
        "v2",
        ("as_sent", "v1", "v2"),
        "2.3",
        "how new authorizations are kept: as sent; v1 only (POST /v2 is refused); v2 (placeholders in v1 lists)",
    ),
    Switch(
        "policies_create_view",
        "same",
        "v2",
        ("same", "v2"),
        "2.4",
        "answer to POST: in the version of the request, or always v2",
    ),
    Switch(
        "v2_in_v1_list",
        "placeholder_as_authorization",
        "placeholder_as_access",
        ("placeholder_as_authorization", "placeholder_as_access", "hidden"),
        "2.3",
        "how a v2 authorization shows in the v1 list (as access it is also lost to type=authorization)",
    ),
    Switch(
        "v2_service_name_filter",
        "either",
        "ignored",
        ("either", "resource", "ignored"),
        "2.7",
        "what service_name of the v2 list compares for authorizations",
    ),
    Switch(
        "conflict_body",
        "v1_object",
        "id_string",
        ("v1_object", "id_string", "v2_object_with_v1_href"),
        "2.8",
        "form of details.conflicts_with.policy in a 409",
    ),
    Switch(
        "duplicate_rule",
        "attributes_and_roles",
        "also_description",
        ("attributes_and_roles", "also_description"),
        "2.8",
        "what makes a policy a duplicate",
    ),
    Switch("created_at", "present", "null", ("present", "null"), "2.4", "created_at and its relatives on policies"),
    Switch("if_match_status", "409", "412", ("409", "412"), "2.2", "status of a wrong If-Match"),
    Switch("delete_deleted", "404", "204", ("404", "204"), "2.9", "status of deleting a deleted policy"),
    Switch("policy_page_size", "large", "1", ("large", "1"), "2.7", "default and largest page of a policy list"),
    # Resource Controller: reading
    Switch("instance_page_size", "large", "1", ("large", "1"), "3.3", "default and largest page of an instance list"),
    Switch(
        "next_url_form",
        "empty",
        "absolute",
        ("null", "empty", "missing", "absolute"),
        "3.3",
        'next_url of the last page: null, "" or missing; "absolute" makes the others full URLs with a foreign host',
    ),
    Switch(
        "echo",
        "full",
        "none",
        ("full", "none", "extensions", "literal", "outdated"),
        "3.4",
        "where GET shows mirroring: parameters (running change included), nowhere, extensions (settings in force), "
        "parameters exactly as last sent, parameters also when it was disabled",
    ),
    Switch(
        "parameters_shown",
        "all",
        "none",
        ("all", "none"),
        "3.4",
        "whether throughput and storage_size are shown at all",
    ),
    Switch(
        "admin_url_published",
        "yes",
        "absent",
        ("yes", "absent", "private"),
        "4.1",
        "extensions.kafka_http_url: usable, left out, or a private name that does not resolve",
    ),
    Switch(
        "last_operation_extras",
        "present",
        "missing",
        ("present", "missing"),
        "3.6",
        "whether async and poll are members of last_operation",
    ),
    Switch(
        "poll_after",
        "absent",
        "number",
        ("absent", "number", "huge"),
        "3.6",
        "poll_after of a running operation: absent, 1, or 3600",
    ),
    Switch(
        "operation_updated_at",
        "set",
        "null",
        ("set", "null"),
        "3.6",
        "last_operation.updated_at: a time, or always null",
    ),
    Switch(
        "instance_updated_at",
        "changes",
        "same",
        ("changes", "same"),
        "3.6",
        "whether updated_at of the instance moves with an operation",
    ),
    Switch(
        "success_wording",
        "succeeded",
        "sync_state",
        ("succeeded", "sync_state", "sync_description", "sync_type"),
        "3.6",
        'how success is worded: state "succeeded"; state "sync succeeded"; "sync" in description or type only',
    ),
    Switch(
        "stale_operation",
        "none",
        "succeeded",
        ("none", "succeeded", "failed"),
        "3.6",
        "after a PATCH the previous finished document is still read (timing.stale_reads, stale_seconds); "
        '"failed" shows a failed previous operation',
    ),
    Switch(
        "instance_error_code",
        "RC-InstanceNotFound",
        "other",
        ("RC-InstanceNotFound", "other"),
        "3.8",
        "error_code of an unknown instance",
    ),
    Switch(
        "delete_result",
        "pending_reclamation",
        "removed",
        ("pending_reclamation", "removed"),
        "3.7",
        "state of a deleted instance",
    ),
    Switch(
        "delete_while_mirroring",
        "allowed",
        "refused",
        ("allowed", "refused"),
        "3.7",
        "deleting a mirrored instance",
    ),
    # Resource Controller: PATCH
    Switch("patch_status", "200", "202", ("200", "202"), "3.5", "status of an accepted asynchronous PATCH"),
    Switch("busy_status", "422", "409", ("422", "409", "400"), "3.7", "status of PATCH while an operation runs"),
    Switch(
        "busy_identical",
        "refused",
        "accepted",
        ("refused", "accepted"),
        "3.7",
        "the same PATCH again while it runs: refused as busy, or accepted without a new operation",
    ),
    Switch("locked_status", "400", "422", ("400", "422"), "3.7", "status of PATCH and DELETE on a locked instance"),
    Switch("refusals", "at_once", "late", ("at_once", "late"), "5.6", "bad requests: refused, or a failed operation"),
    Switch("refusal_status", "422", "400", ("422", "400"), "3.8", "status of a refusal by the broker"),
    Switch(
        "parameters",
        "merge",
        "replace",
        ("merge", "replace"),
        "3.5",
        "parameters of a PATCH are merged into, or replace, the shown ones",
    ),
    Switch(
        "repeat_patch",
        "noop_operation",
        "refused",
        ("noop_operation", "refused", "sync"),
        "3.5",
        "the same mirroring block again on an enabled target: empty operation, refused, or done at once",
    ),
    Switch(
        "throughput_rule",
        "required",
        "only_disable",
        ("required", "only_disable", "not_required"),
        "3.5",
        "current throughput must accompany a mirroring change above 150",
    ),
    Switch("scale_while_mirroring", "allowed", "refused", ("allowed", "refused"), "6.1", "scaling a mirrored instance"),
    Switch(
        "alias_rule",
        "any",
        "strict",
        ("any", "strict"),
        "5.3",
        "aliases: any non-empty text, or letters, digits, '-', '_' and at most 30 characters",
    ),
    Switch("equal_aliases", "accepted", "refused", ("accepted", "refused"), "5.3", "both aliases the same"),
    Switch(
        "rename_members",
        "optional",
        "empty_refused",
        ("optional", "all_required", "empty_refused"),
        "5.1",
        'members of rename: optional; all four needed; "" refused',
    ),
    Switch(
        "both_transforms", "optional", "required", ("optional", "required"), "5.1", "options with only one transform"
    ),
    Switch("group_id_use_alias", "refused", "accepted", ("refused", "accepted"), "5.1", "group_id_transform use_alias"),
    Switch("null_members", "accepted", "refused", ("accepted", "refused"), "3.5", "null for an unset mirroring member"),
    # Admin REST API
    Switch(
        "mirroring_paths_during_operation",
        "as_before",
        "503",
        ("as_before", "404", "403", "503"),
        "4.4",
        "answers of the mirroring paths while an update runs",
    ),
    Switch(
        "enabling_visibility",
        "at_once",
        "late",
        ("at_once", "late"),
        "4.4",
        "late: the mirroring paths answer 404 for timing.enabling_visibility_seconds after the operation succeeded",
    ),
    Switch(
        "not_enabled_body", "json", "html", ("json", "html", "empty"), "4.4", 'body of the 404 "mirroring not enabled"'
    ),
    Switch(
        "empty_selection",
        "empty_list",
        "empty_string",
        ("empty_list", "empty_string", "missing"),
        "4.4",
        'an empty selection is shown as [], [""] or without includes',
    ),
    Switch(
        "selection_survives_disable",
        "no",
        "yes",
        ("no", "yes"),
        "5.2",
        "whether the selection is back after disable and enable",
    ),
    Switch(
        "pattern_match", "full", "search", ("full", "search"), "4.4", "a pattern must match the whole name, or a part"
    ),
    Switch(
        "pattern_comma",
        "literal",
        "separator",
        ("literal", "separator"),
        "4.4",
        "a comma inside one pattern: part of it, or a separator",
    ),
    Switch(
        "invalid_pattern",
        "400",
        "accepted",
        ("400", "422", "accepted"),
        "4.4",
        "a pattern that does not compile: refused, or accepted and never matching",
    ),
    Switch("active_topics_names", "source", "target", ("source", "target"), "4.4", "names in active-topics"),
    Switch(
        "internal_topics",
        "checkpoints_only",
        "plus_heartbeats_and_offset_syncs",
        ("checkpoints_only", "plus_heartbeats_and_offset_syncs"),
        "5.4",
        "internal topics that appear on the target",
    ),
    Switch(
        "authorization_removed",
        "stops",
        "keeps",
        ("stops", "keeps"),
        "2.1",
        "mirroring after its authorization is deleted: nothing is active and nothing new appears, or it goes on",
    ),
    Switch("topic_page_limit", "large", "1", ("large", "1"), "4.5", "default and largest per_page of the topic list"),
    Switch(
        "delete_unknown_topic", "404", "202", ("404", "202"), "4.5", "status of deleting a topic that does not exist"
    ),
    Switch(
        "topic_delete",
        "at_once",
        "late",
        ("at_once", "late"),
        "4.5",
        "late: a deleted topic is still listed for timing.topic_delete_seconds",
    ),
    # Global Search
    Switch(
        "search_fields",
        "all",
        "documented",
        ("all", "documented"),
        "8.1",
        "fields a search can name: service_name, region and tags too, or only those that are documented (else it finds nothing)",
    ),
    # Monitoring
    Switch(
        "default_receiver_shown",
        "shown",
        "hidden",
        ("shown", "hidden"),
        "7.1",
        "whether a monitoring instance shows parameters.default_receiver",
    ),
    Switch(
        "monitoring_refusal",
        "403",
        "401",
        ("403", "401"),
        "7.3",
        "status of a query with a wrong or without IBMInstanceID",
    ),
    Switch(
        "metric_names",
        "with_units",
        "old",
        ("with_units", "old"),
        "7.2",
        "names of the two mirroring metrics: with their units at the end, or without as in older documentation",
    ),
    Switch(
        "latency_topic_names",
        "source",
        "remote",
        ("source", "remote"),
        "7.2",
        "names in ibm_eventstreams_topic of the mirroring latency: on the source, or on the target",
    ),
    # All APIs
    Switch(
        "error_bodies",
        "json",
        "html",
        ("json", "html", "empty", "array", "truncated"),
        "2.10",
        "bodies of all error answers",
    ),
    Switch(
        "rate_limit",
        "none",
        "429",
        ("none", "429", "429_retry_after_0", "429_retry_after_1"),
        "1.9",
        "429 on every third request, without or with Retry-After",
    ),
)

# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Applies one update of a mirroring target and sees it through. Private to this collection: it may change at any time.

The rules (design: never a second update while the first may still take effect):

* an operation that is running is waited for, then the state is read, and only then is an update considered;
* an update whose answer was lost is looked for before another one is sent;
* an update that was refused, or whose operation failed, is sent again only while the authorization it needs is so young that
  it may not be effective yet; if the first operation took longer than that to fail, it is sent once more.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._cloud.instance import Instance
from ansible_collections.mirrorops.event_streams.plugins.module_utils._http import LONGEST_PAUSE, backoff
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.state import State, Unreadable
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.target import Observed, Target
from ansible_collections.mirrorops.event_streams.plugins.module_utils._mirroring.wait import (
    GOES_ON,
    LEAST_LOOKS,
    LONGEST_LOOK,
    Limits,
    Progress,
    expired,
    growing,
    pause,
    wait_for_operation,
)

BUSY = re.compile(
    r"in progress|pending|under ?way|concurren|another (operation|update)|being (updated|modified|changed)|busy",
    re.IGNORECASE,
)
BUSY_STATUSES = (400, 409, 422)
CHECK_THESE = (
    "Check the authorization (the target must be allowed to read the source), the plans, and that throughput and storage are equal; "
    "the setup role checks all of them. Above 150 MB/s the update must carry the target's throughput: give it with throughput, if the "
    "cloud does not show it. Then run again."
)
MAY_HAVE_BEEN_SENT = "An update was sent, and may still take effect; the next run looks before it sends anything."
MOST_LOST = 3
SECOND_LOOK = 0.5
GOES_ON_ENABLING = f"{GOES_ON} The playbook validate only waits and looks."
MOST_TURNS = 20


class Submitted(t.NamedTuple):
    """An update that another task has sent and has not waited for: the target right before it, and as the answer showed it; when it was
    sent, on the monotonic clock. Not ``certain``: the answer was lost, so the operation that was found may be somebody else's."""

    before: Instance
    accepted: Instance
    sent_at: float
    certain: bool


class Outcome(t.NamedTuple):
    """How an update went. ``sent`` counts the updates that were or may have been accepted, ``sent_at`` is when the last one was
    sent, on the monotonic clock. ``submitted`` is the last one, where it was not waited for."""

    observed: Observed
    sent: int
    joined: bool
    refusals: int
    sent_at: float
    submitted: Submitted | None = None


class Update:
    """One update, from the first look to the confirmed state.

    ``parameters`` makes the body for the instance as it is now; ``aim`` is whether mirroring is to be on afterwards; ``reached``
    tells whether a state is the wanted one; ``permit`` raises if a state forbids the update; ``patience`` tells for how
    many seconds from a moment (on the monotonic clock) on a refusal may still pass.
    """

    def __init__(
        self,
        target: Target,
        parameters: t.Callable[[Instance], dict[str, t.Any]],
        *,
        aim: bool,
        attempt: str,
        limits: Limits,
        deadline: float,
        progress: Progress,
        reached: t.Callable[[State], bool],
        permit: t.Callable[[State], None],
        patience: t.Callable[[float], float],
        wait: bool = True,
    ) -> None:
        self._target = target
        self._call = target.call
        self._clock = target.call.clock
        self._parameters = parameters
        self._aim = aim
        self._attempt = attempt
        self._limits = limits
        self._deadline = deadline
        self._progress = progress
        self._reached = reached
        self._permit = permit
        self._patience = patience
        self._wait = wait
        self._goes_on = GOES_ON_ENABLING if aim else GOES_ON
        self._sent = 0
        self._sent_at = 0.0
        self._lost = 0
        self._refusals = 0
        self._failures = 0
        self._turns = 0
        self._before: Instance | None = None
        self._others = 0

    def apply(self, first: Observed, *, again: bool = False) -> Outcome:
        """Brings the target to the wanted state. Raises what stands in the way, after the last look at the instance.

        With ``again`` the update is sent even if the wanted state seems to be reached.
        """
        return self._told(lambda: self._bring(first, again))

    def resume(self, submitted: Submitted) -> Outcome:
        """Sees through what another task has sent, and goes on like ``apply`` if that was in vain. The time limit counts from when it was
        sent: of a fleet, one after the other would otherwise be waited for that long."""
        self._sent = self._others = 1
        self._lost = int(not submitted.certain)
        self._sent_at = submitted.sent_at
        self._before = submitted.before

        def bring() -> Outcome:
            now = self._clock.monotonic()
            self._deadline = min(self._deadline, submitted.sent_at + self._limits.timeout)
            if self._deadline <= now and not self._target.instance().operation.unfinished:
                # It has ended meanwhile, or left no trace: which of both is to be seen.
                self._deadline = now + min(
                    self._limits.timeout, self._limits.settle + LEAST_LOOKS * self._limits.interval
                )
            after = self._see_through(submitted.before, submitted.accepted, certain=submitted.certain)
            return self._outcome(after, joined=True) if after else self._bring(self._target.observe(), False)

        return self._told(bring)

    def _told(self, bring: t.Callable[[], Outcome]) -> Outcome:
        try:
            return bring()
        except (_errors.ExchangeError, _errors.InvalidInput) as error:
            if (self._sent or self._lost) and GOES_ON not in error.remedy:
                error.remedy = f"{error.remedy} {MAY_HAVE_BEEN_SENT}".strip()
            raise

    def _bring(self, observed: Observed, again: bool) -> Outcome:
        looked_twice = False
        while True:
            observed, joined = self.idle(observed)
            if self._reached(observed.state) and not (again and not self._sent):
                return self._outcome(observed, joined=joined and not self._sent)
            self._permit(observed.state)
            if not looked_twice:
                # One answer may be wrong, such as a gateway's 404: what is written is decided by two.
                looked_twice = True
                pause(self._clock, min(SECOND_LOOK, self._limits.interval), self._deadline)
                observed = self._target.observe()
                continue
            self._before = observed.instance
            lost = self._lost
            accepted, running = self._submit(observed)
            certain = lost == self._lost
            if accepted is not None and not self._wait:
                submitted = Submitted(observed.instance, accepted, self._sent_at, certain)
                return self._outcome(dataclasses.replace(observed, instance=accepted), submitted=submitted)
            if accepted is not None:
                after = self._see_through(observed.instance, accepted, certain=certain)
                if after is not None:
                    return self._outcome(after)
            observed = self._target.observe(running)

    def idle(self, observed: Observed) -> tuple[Observed, bool]:
        """Waits while an operation is running, ours or anybody's; tells whether there was one."""
        if not observed.is_running():
            return (self._confirmed(observed.instance) if observed.state.contradictory else observed), False
        self._progress.note("an update is running already; waiting for it")
        return self._until_idle(observed, joined=True), True

    def _submit(self, before: Observed) -> tuple[Instance | None, Instance | None]:
        """Sends the update. Returns the instance if it was accepted (or may have been), else None, and then the instance if another
        operation was seen running on it."""
        parameters = self._parameters(before.instance)
        while True:
            self._sent_at = self._clock.monotonic()
            try:
                accepted = self._target.send(parameters, self._attempt)
            except _errors.RateLimited as error:
                self._turned_away(backoff(self._turns + 1, error.retry_after), error)
                continue
            except _errors.ExchangeError as error:
                if error.processed == "maybe":
                    return self._look_for(before, error), None
                return None, self._refused(error)
            self._sent += 1
            self._progress.note("update accepted")
            return accepted, None

    def _look_for(self, before: Observed, error: _errors.ExchangeError) -> Instance | None:
        """After a lost answer: the instance if an update took effect, None if it certainly may be sent again."""
        self._progress.note(f"the answer to the update was lost ({error.reason}); looking whether it took effect")
        self._lost += 1
        reached_before = self._reached(before.state)
        until = min(self._clock.monotonic() + self._limits.settle, self._deadline)
        intervals = growing(min(self._limits.interval, LONGEST_LOOK))
        while True:
            observed = self._target.observe()
            now = observed.instance
            changed = now.operation != before.instance.operation or now.updated_at != before.instance.updated_at
            began = now.operation.unfinished or (changed and now.operation.phase != "failed")
            if began or (self._reached(observed.state) and not reached_before):
                self._sent += 1
                return now
            if self._clock.monotonic() >= until:
                break
            pause(self._clock, next(intervals), until)
        if changed:
            # A failure that is not ours for certain: ours would have begun by now, so another update may be considered.
            self._sent += 1
            return now
        if self._lost >= MOST_LOST or self._clock.monotonic() >= self._deadline:
            raise error
        return None

    def _refused(self, error: _errors.ExchangeError) -> Instance | None:
        """After a refusal: pauses if the update is to be tried again, else raises. Returns the instance if an operation is running on it."""
        if isinstance(error, _errors.Redirected):
            raise error
        now = self._target.instance()
        if now.operation.unfinished or (error.status in BUSY_STATUSES and _is_busy(error)):
            self._turned_away(min(self._limits.interval, backoff(self._turns + 1)), error)
            return now if now.operation.unfinished else None
        self._refusals += 1
        patience = self._patience(self._clock.monotonic())
        if patience <= 0:
            error.remedy = self._remedy(CHECK_THESE if self._aim and error.status in (400, 422) else error.remedy)
            raise error
        self._progress.note(f"the new authorization may not be effective yet, trying again (refused: {error.reason})")
        self._pause_or_raise(min(self._limits.interval, backoff(self._refusals), patience), error)
        return None

    def _see_through(self, before: Instance, accepted: Instance, *, certain: bool) -> Observed | None:
        """Waits for the update that runs now. Returns the confirmed state, or None if another update may be considered.

        Not ``certain``: the answer was lost, so the operation that was found may be somebody else's.
        """
        observed = self._until_idle(self._confirmed(self._ended(before, accepted if certain else None)))
        if self._reached(observed.state):
            return observed
        instance = observed.instance
        if instance.operation.phase == "failed":
            self._failures += 1
            error = operation_failed(instance, self._attempt)
            seconds = min(2.0 ** (self._failures - 1), LONGEST_PAUSE)
            if certain:
                patience = self._patience(self._clock.monotonic())
                # The first failure says how things were when the update was sent, however long it took to fail.
                if patience <= 0 and (self._failures > 1 or self._patience(self._sent_at) <= 0):
                    error.remedy = self._remedy(CHECK_THESE if self._aim else error.remedy)
                    raise error
                seconds = min(seconds, patience) if patience > 0 else seconds
            elif self._lost >= MOST_LOST:
                raise error
            self._progress.note("the update failed; trying again" + (", the authorization is new" if certain else ""))
            self._pause_or_raise(seconds, error)
            return None
        if not certain and self._lost < MOST_LOST:
            return None
        raise _errors.OperationFailed(
            f"the update ended as {instance.operation.state}, but the target does not show the wanted state"
            + _why_not_shown(observed.state),
            attempt=self._attempt,
            instance=instance.label,
            remedy="Look at the instance with mirroring_info; run again when its admin API answers as expected.",
        )

    def _until_idle(self, observed: Observed, *, joined: bool = False) -> Observed:
        """Waits for as long as an operation is running. What looked like its end while it still ran is one from before it."""
        began = self._clock.monotonic()
        while observed.is_running():
            ended = self._ended(self._before)
            observed = self._confirmed(ended, joined=joined)
            self._before = ended
            if observed.is_running():
                now = self._clock.monotonic()
                if now >= self._deadline:
                    raise expired(self._target.label, now - began, observed.instance, None, self._goes_on)
                pause(self._clock, self._limits.interval, self._deadline)
        return observed

    def _ended(self, baseline: Instance | None, accepted: Instance | None = None) -> Instance:
        """Waits for the operation; without baseline for one that was seen running."""
        return wait_for_operation(
            self._call,
            self._target.instance,
            label=self._target.label,
            limits=self._limits,
            deadline=self._deadline,
            progress=self._progress,
            baseline=baseline,
            accepted=accepted,
            goes_on=self._goes_on,
        )

    def _confirmed(self, instance: Instance, *, joined: bool = False) -> Observed:
        """Observes after an operation ended well; the mirroring API may need a moment to show its effect (API §11.10), and what
        looked like the end may have been the operation of before, so this also returns when one runs, or failed."""
        until = min(self._clock.monotonic() + self._limits.settle, max(self._deadline, self._clock.monotonic()))
        observed = self._target.observe(instance, patient=False)
        intervals = growing(min(self._limits.interval, LONGEST_LOOK))
        while self._is_open(observed, joined) and self._clock.monotonic() < until:
            self._progress.note("the update ended; the target does not show it yet")
            pause(self._clock, next(intervals), until)
            observed = self._target.observe(patient=False)
        # The last look, which decides, is patient, and at the instance as it is now.
        return self._target.observe() if self._is_open(observed, joined) else observed

    def _is_open(self, observed: Observed, joined: bool) -> bool:
        """Whether the mirroring API may still come to show the effect of what has ended."""
        return (
            not observed.is_running()
            and observed.instance.operation.phase != "failed"
            and not self._reached(observed.state)
            and bool(
                self._sent
                or observed.state.contradictory
                or isinstance(observed.state.selection, Unreadable)
                or (joined and observed.state.enabled.value is not self._aim)
            )
        )

    def _remedy(self, remedy: str) -> str:
        times = self._refusals + self._failures
        return (
            f"It was tried {times} times, for as long as authorization_timeout allows. " if times > 1 else ""
        ) + remedy

    def _turned_away(self, seconds: float, error: _errors.MirrorOpsError) -> None:
        """Pauses after an update that was not even looked at: too many requests, or busy. Not for ever."""
        self._turns += 1
        if self._turns > MOST_TURNS:
            raise error
        self._pause_or_raise(seconds, error)

    def _pause_or_raise(self, seconds: float, error: _errors.MirrorOpsError) -> None:
        if self._clock.monotonic() + seconds > self._deadline:
            raise error
        self._clock.sleep(seconds)

    def _outcome(self, observed: Observed, joined: bool = False, submitted: Submitted | None = None) -> Outcome:
        refusals = self._refusals + self._failures
        return Outcome(observed, self._sent - self._others, joined, refusals, self._sent_at, submitted)


def _is_busy(error: _errors.ExchangeError) -> bool:
    """Whether a refusal says that another operation is under way (API §3.7); a 409 without a word does, but not one to a request for a
    token."""
    if isinstance(error, _errors.AuthenticationFailed):
        return False
    return bool(BUSY.search(error.reason)) or (error.status == 409 and not error.body)


def _why_not_shown(state: State) -> str:
    if isinstance(state.selection, Unreadable):
        return f": {state.selection.reason}"
    return "" if state.selection is not None else ": its mirroring API says that mirroring is not enabled (HTTP 404)"


def operation_failed(instance: Instance, attempt: str) -> _errors.OperationFailed:
    """The error for an operation that ended as failed, with the service's description unchanged (API §3.6)."""
    operation = instance.operation
    return _errors.OperationFailed(
        f"the service reports {operation.type or 'operation'} {operation.state}: {operation.description or 'no description'}",
        attempt=attempt,
        instance=instance.label,
        remedy=CHECK_THESE,
        details={"operation": operation.to_result()},
    )

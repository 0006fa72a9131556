"""In: the settings. Out: the models of a run: fetched, or taken from a mirror now, or None for a starter engine."""

from __future__ import annotations

import logging

from appliance.catalogue.catalogue import BEST_FIRST, Catalogue, read_catalogue
from appliance.catalogue.download import Progress
from appliance.catalogue.entry import Entry, Stage
from appliance.catalogue.fetch import fetch, no_progress
from appliance.catalogue.mirror import Mirror
from appliance.catalogue.stand_in import can_stand_in, stand_ins
from appliance.catalogue.store import Store, model_dir
from appliance.catalogue.wake import package_dir, wake_from
from appliance.errors import ModelError
from appliance.settings import Settings
from appliance.wire.child import ModelFile, Models
from appliance.wire.sound import STOP_WORD

log = logging.getLogger(__name__)

STARTER_ENGINES = ("pocketsphinx", "espeak")


def resolve(settings: Settings, progress: Progress = no_progress) -> Models:
    """The models to run with, in the device's language, every file checked.

    Never asks the network; copies from the mirror of the settings if there is one. Profile 'auto': for each stage the
    best model that was fetched, else the best that the mirror holds, else a recogniser of another language that may stand
    in, else None. A named profile, model or voice must be
    there. A model whose files are damaged is replaced from the mirror; where that cannot be, the device goes on with
    the next best one, and `problems` tells it.
    Blocks: a few milliseconds when all was checked before, else as long as copying and hashing take.
    Raises ModelError naming the file and the remedy.
    """
    return _Resolver(settings, progress).models()


class _Resolver:
    def __init__(self, settings: Settings, progress: Progress) -> None:
        self._settings, self._progress = settings, progress
        self._catalogue: Catalogue = read_catalogue()
        self._store = Store(model_dir(settings))
        self._mirror = Mirror(settings.models.mirror) if settings.models.mirror else None
        self._problems: list[str] = []

    def models(self) -> Models:
        stt, tts = self._settings.stt, self._settings.tts
        return Models(
            stt=self._stage("stt", stt.model, stt.engine, stt.uri),
            tts=self._stage("tts", tts.voice, tts.engine, tts.uri),
            vad=self._stage("vad", None, "auto", None),
            wake=self._wake(),
            problems=tuple(self._problems),
        )

    def _stage(self, stage: Stage, name: str | None, engine: str, uri: str | None) -> ModelFile | None:
        if uri is not None or engine in STARTER_ENGINES:
            return None
        language, profile = self._settings.device.language, self._settings.models.profile
        if name is not None:
            entry = self._catalogue.entry(name, stage)
            fits = entry.language in (language, language.split("-")[0])
            if not fits and name not in self._stand_ins(stage, language):
                raise ModelError("wrong-language", f"{name} speaks '{entry.language}', the device '{language}'.")
            return self._must(entry)
        if profile != "auto":
            model = self._catalogue.profiles[profile].pick(stage, language)
            if model is None:
                raise ModelError("no-language", f"Profile '{profile}' has no {stage} model for language '{language}'.")
            return self._must(self._catalogue.entry(model, stage))
        found = self._best(self._candidates(stage, language)) or self._best(
            [self._catalogue.entry(name, stage) for name in self._stand_ins(stage, language)]
        )
        if found is None and engine != "auto":
            raise ModelError(
                "no-model",
                f"{stage}.engine is '{engine}', but no {stage} model is here; `appliance models fetch` gets one.",
            )
        return found

    def _stand_ins(self, stage: Stage, language: str) -> tuple[str, ...]:
        """Names of recognisers of another language that may listen for `language` here; the free search cannot."""
        if stage != "stt" or self._settings.stt.engine == "sherpa":
            return ()
        names = stand_ins(language)
        return names if names and can_stand_in(language) else ()

    def _candidates(self, stage: Stage, language: str) -> list[Entry]:
        names = [self._catalogue.profiles[profile].pick(stage, language) for profile in BEST_FIRST]
        return [self._catalogue.entry(name, stage) for name in dict.fromkeys(names) if name is not None]

    def _best(self, entries: list[Entry]) -> ModelFile | None:
        for entry in entries:
            if self._store.has(entry) and (found := self._whole(entry)) is not None:
                return found
        for entry in entries:
            if self._mirror is not None and self._mirror.has(entry):
                return fetch(entry, self._store, self._mirror, self._progress)
        return None

    def _whole(self, entry: Entry) -> ModelFile | None:
        """A fetched model, mended from the mirror where it is damaged; None where it stays so."""
        try:
            return self._store.open(entry)
        except ModelError as damage:
            if self._mirror is not None and self._mirror.has(entry):
                try:
                    mended = fetch(entry, self._store, self._mirror, self._progress)
                except ModelError as error:
                    self._tell(error)
                else:
                    log.warning("%s It was taken from the mirror again.", damage)
                    return mended
            self._tell(damage)
            return None

    def _tell(self, problem: ModelError) -> None:
        log.warning("%s", problem)
        self._problems.append(problem.message)

    def _must(self, entry: Entry) -> ModelFile:
        found = self._best([entry])
        if found is None and self._store.has(entry):
            raise ModelError("bad-file", self._problems[-1])
        if found is None:
            how = "`appliance models fetch` gets it" if entry.downloadable else "only a mirror has it (--mirror DIR)"
            raise ModelError("not-fetched", f"The model {entry.name} is not in {self._store.root}; {how}.")
        return found

    def _wake(self) -> tuple[ModelFile, ...]:
        wake = self._settings.wake
        if wake.engine != "microwakeword":
            return ()
        words = tuple(found for word in wake.words if (found := self._wake_word(word)) is not None)
        stop = self._wake_at_hand(STOP_WORD) if wake.stop_word and STOP_WORD not in wake.words else None
        return words if stop is None else (*words, stop)

    def _wake_word(self, word: str) -> ModelFile | None:
        if (found := self._installed(word)) is not None:
            return found
        entry = self._catalogue.entry(word, "wake")
        return self._best([entry]) if self._store.has(entry) else self._must(entry)

    def _wake_at_hand(self, word: str) -> ModelFile | None:
        return self._installed(word) or self._best([self._catalogue.entry(word, "wake")])

    def _installed(self, word: str) -> ModelFile | None:
        for folder in (self._settings.wake.model_dir, package_dir()):
            try:
                found = wake_from(folder, word) if folder is not None else None
            except (ModelError, OSError) as error:
                self._tell(error if isinstance(error, ModelError) else ModelError("unreadable", f"{error}."))
                continue
            if found is not None:
                return found
        return None

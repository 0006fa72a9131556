"""In: settings and the models at hand. Out: the recogniser that runs, or one sentence why none can.

Engines are imported where they are chosen: the libraries of those that do not run would take 7 MB.
"""

from __future__ import annotations

from appliance.engines.stt.accent import accent_of
from appliance.engines.stt.protocol import Recogniser
from appliance.errors import SttError
from appliance.wire.child import ChildConfig, ModelFile

FOLDER = "networks"
"""Of the state folder: networks in the form they are loaded in."""


def choose(config: ChildConfig) -> Recogniser:
    """Loads the engine that `stt.engine` names; 'auto' takes the best that the models allow. Blocks while loading."""
    settings, model = config.settings.stt, config.models.stt
    if settings.engine == "pocketsphinx" or (settings.engine == "auto" and model is None):
        return _sphinx(config)
    if model is None:
        raise SttError("model-missing", f"stt.engine = {settings.engine} needs a model: run `appliance models fetch`.")
    accent = accent_of(config.settings.device.language, model.language)
    if settings.engine == "grammar" or (settings.engine == "auto" and (accent is not None or _drivable(model))):
        from appliance.engines.stt.constrained import ConstrainedRecogniser

        return ConstrainedRecogniser(model, settings, accent, config.settings.device.state_dir / FOLDER)
    from appliance.engines.stt.sherpa import SherpaRecogniser

    return SherpaRecogniser(model, settings)


def _sphinx(config: ChildConfig) -> Recogniser:
    from appliance.engines.stt.sphinx import SphinxRecogniser

    return SphinxRecogniser()


def _drivable(model: ModelFile) -> bool:
    from appliance.engines.stt.transducer import drivable

    return drivable(model) is None

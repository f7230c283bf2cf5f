"""Settings by file and environment, checked together at the start; frozen from then on."""

from cordboard.settings.account import Account as Account
from cordboard.settings.duties import EVERY_DUTY as EVERY_DUTY
from cordboard.settings.duties import NO_DUTIES as NO_DUTIES
from cordboard.settings.duties import Duties as Duties
from cordboard.settings.duties import Role as Role
from cordboard.settings.duties import in_effect as in_effect
from cordboard.settings.kafka import Kafka as Kafka
from cordboard.settings.loading import Problem as Problem
from cordboard.settings.loading import SettingsError as SettingsError
from cordboard.settings.loading import load as load
from cordboard.settings.loading import redacted as redacted
from cordboard.settings.loading import secrets_of as secrets_of
from cordboard.settings.model import Concurrency as Concurrency
from cordboard.settings.model import Dispatcher as Dispatcher
from cordboard.settings.model import Grpc as Grpc
from cordboard.settings.model import Ingress as Ingress
from cordboard.settings.model import Log as Log
from cordboard.settings.model import Logging as Logging
from cordboard.settings.model import Operations as Operations
from cordboard.settings.model import Rest as Rest
from cordboard.settings.model import Settings as Settings
from cordboard.settings.model import Tracing as Tracing
from cordboard.settings.model import Worker as Worker
from cordboard.settings.recorder import Recorder as Recorder
from cordboard.settings.sealing import Sealing as Sealing

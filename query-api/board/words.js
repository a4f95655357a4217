// The words of the pages, in English and Spanish. A page says `data-t="key"`; code says `t("key", {name: value})`.

const WORDS = {
  "skip": ["Skip to the content", "Ir al contenido"],
  "nav.label": ["Pages", "Páginas"],
  "nav.board": ["Board", "Tablero"],
  "nav.downtime": ["Downtime", "Paradas"],
  "nav.subs": ["Subscriptions", "Avisos"],
  "nav.dead": ["Dead letters", "Registros rechazados"],
  "nav.docs": ["API", "API"],
  "look": ["Colours", "Colores"],
  "look.auto": ["as the system", "como el sistema"],
  "look.light": ["light", "claro"],
  "look.dark": ["dark", "oscuro"],
  "language": ["Language", "Idioma"],
  "token": ["Token", "Token"],
  "token.title": ["Access token", "Token de acceso"],
  "token.lead": ["This andon asks for a token. It is kept in this tab alone and sent with each request.", "Este andon pide un token. Se guarda solo en esta pestaña y se envía con cada petición."],
  "token.set": ["Use it", "Usarlo"],
  "token.forget": ["Forget it", "Olvidarlo"],
  "close": ["Close", "Cerrar"],
  "search": ["Search", "Buscar"],
  "more": ["More", "Más"],
  "from": ["From", "Desde"],
  "to": ["To", "Hasta"],
  "class": ["Class", "Clase"],
  "class.any": ["every class", "todas las clases"],
  "class.planned": ["planned", "planificada"],
  "class.unplanned": ["unplanned", "no planificada"],
  "line": ["Line", "Línea"],
  "start": ["Start", "Inicio"],
  "end": ["End", "Fin"],
  "duration": ["Duration", "Duración"],
  "status": ["Status", "Estado"],
  "reason": ["Reason", "Motivo"],
  "reason.unknown": ["reason unknown", "motivo desconocido"],
  "still": ["still down", "sigue parada"],
  "loading": ["Loading …", "Cargando …"],
  "times": ["Times are in the zone {zone}.", "Horas en la zona {zone}."],
  "as_of": ["Everything that came before {time} is in here.", "Incluye todo lo recibido antes de {time}."],
  "trouble.network": ["Andon does not answer. Is it running?", "Andon no responde. ¿Está en marcha?"],

  "live": ["live", "en vivo"],
  "connecting": ["connecting …", "conectando …"],
  "stale": ["STALE", "SIN DATOS"],
  "stale.short": ["stale", "sin datos"],
  "stale.lost": ["No contact with andon for {age}. What you see is old.", "Sin contacto con andon desde hace {age}. Lo que ve es antiguo."],
  "stale.behind": ["Andon is {age} behind. What you see is old.", "Andon lleva un retraso de {age}. Lo que ve es antiguo."],
  "stale.never": ["No contact with andon yet.", "Todavía sin contacto con andon."],

  "state.down": ["Down", "Parada"],
  "state.external": ["Held up", "Retenida"],
  "state.planned": ["Planned stop", "Parada planificada"],
  "state.degraded": ["Degraded", "Degradada"],
  "state.unknown": ["Unknown", "Desconocido"],
  "state.up": ["Running", "En marcha"],
  "state.idle": ["Idle", "Sin orden"],
  "state.unplanned": ["Unplanned stop", "Parada no planificada"],
  "state.before": ["Before the first event", "Antes del primer dato"],

  "RUNNING": ["Running", "En marcha"],
  "DEGRADED": ["Degraded", "Degradada"],
  "IDLE": ["Idle", "Sin orden"],
  "STOPPED": ["Stopped", "Parada"],
  "FAULTED": ["Faulted", "En fallo"],
  "BLOCKED": ["Blocked", "Bloqueada"],
  "STARVED": ["Starved", "Sin material"],
  "PLANNED_STOP": ["Planned stop", "Parada planificada"],
  "CHANGEOVER": ["Changeover", "Cambio de formato"],
  "UNKNOWN": ["Unknown", "Desconocido"],

  "board.title": ["What the lines do now", "Qué hacen las líneas ahora"],
  "board.area": ["Area", "Área"],
  "board.area.all": ["The whole plant", "Toda la planta"],
  "board.kiosk": ["Wall screen", "Pantalla mural"],
  "board.since": ["since {time}", "desde {time}"],
  "board.never": ["has said nothing yet", "aún no ha dicho nada"],
  "board.none": ["No line has reported yet. Send the first status change, and its tile appears here.", "Ninguna línea ha informado todavía. Envíe el primer cambio de estado y aparecerá aquí."],
  "board.none.shown": ["No line matches what is chosen above.", "Ninguna línea coincide con lo elegido arriba."],
  "board.news": ["{line}: {state}", "{line}: {state}"],

  "line.unknown": ["Nothing is known of this line.", "No se sabe nada de esta línea."],
  "line.timeline": ["Timeline", "Cronología"],
  "line.window": ["{from} to {to}", "{from} a {to}"],
  "line.zoom.in": ["Zoom in", "Acercar"],
  "line.zoom.out": ["Zoom out", "Alejar"],
  "line.earlier": ["Earlier", "Antes"],
  "line.later": ["Later", "Después"],
  "line.now": ["Now", "Ahora"],
  "line.keys": ["Arrow keys move, + and - zoom, Home goes to now; Page Up and Page Down go from run to run.", "Las flechas mueven, + y - acercan, Inicio vuelve a ahora; Re Pág y Av Pág pasan de un tramo a otro."],
  "line.picture": ["Timeline from {from} to {to}: {count} stops, {down} down.", "Cronología de {from} a {to}: {count} paradas, {down} parada."],
  "line.stops": ["Stops in this window, the longest first", "Paradas en esta ventana, las más largas primero"],
  "line.stops.none": ["No stop in this window.", "Ninguna parada en esta ventana."],
  "line.told": ["Who was told what", "A quién se avisó"],
  "line.told.none": ["Nobody was told anything about this line in this window.", "No se avisó a nadie sobre esta línea en esta ventana."],
  "line.told.token": ["Who was told what needs a token with the scope `subscribe`.", "Ver a quién se avisó requiere un token con el permiso `subscribe`."],
  "line.subscriber": ["Subscriber", "Suscriptor"],
  "line.message": ["Message", "Mensaje"],
  "line.outcome": ["Outcome", "Resultado"],
  "line.segments": ["{count} segments", "{count} segmentos"],
  "line.follow": ["Tell me when it stops", "Avisarme cuando se pare"],

  "kind.DOWN": ["down", "parada"],
  "kind.RESTORED": ["runs again", "en marcha de nuevo"],
  "kind.WITHDRAWN": ["withdrawn", "retirada"],
  "kind.UNSUBSCRIBED": ["unsubscribed", "baja"],
  "outcome.queued": ["waits to be sent", "pendiente de envío"],
  "outcome.sending": ["is being sent", "enviándose"],
  "outcome.sent": ["sent", "enviado"],
  "outcome.unsubscribed": ["not sent: unsubscribed", "no enviado: baja"],
  "outcome.erased": ["not sent: erased", "no enviado: borrado"],
  "outcome.refused": ["refused by the mail server", "rechazado por el servidor"],
  "outcome.gave_up": ["gave up after 5 days", "abandonado tras 5 días"],
  "outcome.dropped": ["not sent: the stop was over", "no enviado: la parada ya había terminado"],
  "outcome.expired": ["not sent: too old", "no enviado: demasiado antiguo"],

  "downtime.title": ["Downtime", "Paradas"],
  "downtime.lead": ["What stopped, when, how long and why.", "Qué se paró, cuándo, cuánto tiempo y por qué."],
  "downtime.where": ["Line or area", "Línea o área"],
  "downtime.everything": ["everything", "todo"],
  "downtime.csv.every": ["Export as CSV (every class)", "Exportar como CSV (todas las clases)"],
  "downtime.csv": ["Export as CSV", "Exportar como CSV"],
  "downtime.none": ["No downtime in this window.", "Ninguna parada en esta ventana."],
  "downtime.summary": ["{count} intervals, {total} in all, clipped to the window.", "{count} intervalos, {total} en total, recortados a la ventana."],
  "downtime.summary.more": ["The first {count} intervals, {total} in all, clipped to the window; there are more.", "Los primeros {count} intervalos, {total} en total, recortados a la ventana; hay más."],
  "downtime.wrong": ["“From” must lie before “To”.", "«Desde» debe ser anterior a «Hasta»."],

  "subs.title": ["Subscriptions", "Avisos"],
  "subs.lead": ["A mail when a line stops, and another in the same thread when it runs again.", "Un correo cuando una línea se para y otro en el mismo hilo cuando vuelve a funcionar."],
  "subs.new": ["Follow a line or an area", "Seguir una línea o un área"],
  "subs.email": ["E-mail address", "Correo electrónico"],
  "subs.node": ["Line or area", "Línea o área"],
  "subs.node.hint": ["An area covers every line below it, also those that come later.", "Un área incluye todas sus líneas, también las que se añadan después."],
  "subs.after": ["Tell me", "Avisarme"],
  "subs.after.0": ["at once", "enseguida"],
  "subs.after.n": ["when it has been down for {time}", "cuando lleve {time} parada"],
  "subs.locale": ["Language of the mails", "Idioma de los correos"],
  "subs.zone": ["Time zone of the mails", "Zona horaria de los correos"],
  "subs.follow": ["Follow", "Seguir"],
  "subs.mine": ["My subscriptions", "Mis avisos"],
  "subs.mine.hint": ["The address is sent in the request's body and stands in no log and no URL.", "La dirección viaja en el cuerpo de la petición y no queda en ningún registro ni URL."],
  "subs.show": ["Show", "Mostrar"],
  "subs.done": ["Done. {node} is followed: the next stop is told by mail.", "Hecho. Se sigue {node}: la próxima parada se avisará por correo."],
  "subs.known": ["This address already follows {node}.", "Esta dirección ya sigue {node}."],
  "subs.none": ["This address follows nothing.", "Esta dirección no sigue nada."],
  "subs.end": ["End", "Terminar"],
  "subs.end.of": ["End the subscription to {node}", "Terminar el aviso de {node}"],
  "subs.ended": ["Ended: {node} is followed no more.", "Terminado: ya no se sigue {node}."],
  "subs.erase": ["Delete this address and everything it follows", "Borrar esta dirección y todo lo que sigue"],
  "subs.erase.sure": ["Press again to delete it for good", "Pulse otra vez para borrarla definitivamente"],
  "subs.erased": ["Deleted. Andon no longer knows this address.", "Borrada. Andon ya no conoce esta dirección."],
  "subs.field.email": ["Write an e-mail address, such as anna@plant.example.", "Escriba una dirección, como anna@planta.example."],
  "subs.field.node": ["Name a line or an area.", "Indique una línea o un área."],

  "dead.title": ["Dead letters", "Registros rechazados"],
  "dead.lead": ["Status changes that could not be folded: nothing is lost silently.", "Cambios de estado que no se pudieron procesar: nada se pierde en silencio."],
  "dead.reason": ["Reason", "Motivo"],
  "dead.reason.any": ["every reason", "todos los motivos"],
  "dead.redundant": ["also those that say nothing new", "también los que no dicen nada nuevo"],
  "dead.resolved": ["also those that are dealt with", "también los ya resueltos"],
  "dead.none": ["No dead letter. All that came was folded.", "Ningún registro rechazado. Todo lo recibido se procesó."],
  "dead.count": ["{count} shown", "{count} mostrados"],
  "dead.key": ["Key", "Clave"],
  "dead.what": ["What is wrong", "Qué falla"],
  "dead.last": ["Last", "Último"],
  "dead.times": ["Times", "Veces"],
  "dead.open": ["Open", "Abrir"],
  "dead.redrive": ["Send again", "Reenviar"],
  "dead.discard": ["Discard", "Descartar"],
  "dead.discard.sure": ["Press again to discard it", "Pulse otra vez para descartarlo"],
  "dead.redriven": ["sent again", "reenviado"],
  "dead.discarded": ["discarded", "descartado"],
  "dead.first": ["First", "Primero"],
  "dead.headers": ["Headers", "Cabeceras"],
  "dead.value": ["Value, as it came", "Valor, tal como llegó"],
  "dead.decoded": ["What it says", "Qué dice"],
  "dead.late": ["It would be too late again, so it cannot be sent again.", "Volvería a llegar tarde, así que no se puede reenviar."],

  "why.DECODE": ["not readable", "ilegible"],
  "why.SCHEMA_UNKNOWN": ["unknown schema", "esquema desconocido"],
  "why.KEY_MISMATCH": ["key of another line", "clave de otra línea"],
  "why.TOO_LATE": ["too late", "demasiado tarde"],
  "why.FUTURE_TIMESTAMP": ["from the future", "del futuro"],
  "why.UNKNOWN_LINE": ["unknown line", "línea desconocida"],
  "why.OVERSIZE": ["too large", "demasiado grande"],
};

const LANGUAGES = ["en", "es"];

/** The language of the page: as chosen here, else the first of the browser's that is spoken here. */
export const language = chosen() ?? navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => LANGUAGES.includes(tag)) ?? "en";

const column = LANGUAGES.indexOf(language);

/** The words of `key`, with `{name}` replaced; the key itself where there are none, so that a gap is seen. */
export function t(key, values = {}) {
  const words = WORDS[key]?.[column] ?? key;
  return words.replace(/\{(\w+)\}/g, (mark, name) => (name in values ? values[name] : mark));
}

/** Whether there are words for `key`. */
export function says(key) {
  return key in WORDS;
}

/** Puts the words into everything under `root` that asks for them. */
export function translate(root) {
  document.documentElement.lang = language;
  for (const element of root.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of root.querySelectorAll("[data-hint]")) element.placeholder = t(element.dataset.hint);
}

/** Chooses another language, and loads the page in it. */
export function speak(tag) {
  try {
    localStorage.setItem("andon.language", tag);
  } catch { /* a browser without storage forgets it */ }
  location.reload();
}

function chosen() {
  const asked = new URLSearchParams(location.search).get("lang");
  if (LANGUAGES.includes(asked)) return asked;
  try {
    const stored = localStorage.getItem("andon.language");
    return LANGUAGES.includes(stored) ? stored : null;
  } catch {
    return null;
  }
}

//! What the portal says, in the languages of its visitors.

use axum::http::{HeaderMap, header};

/// Everything that a page may say. `{}` stands for a name.
pub(super) struct Words {
    pub(super) lang: &'static str,
    pub(super) title: &'static str,
    pub(super) enter: &'static str,
    pub(super) enter_lead: &'static str,
    pub(super) code: &'static str,
    pub(super) go_on: &'static str,
    pub(super) not_active: &'static str,
    pub(super) wait: &'static str,
    pub(super) working: &'static str,
    pub(super) no_script_work: &'static str,
    pub(super) failed: &'static str,
    pub(super) helper: &'static str,
    pub(super) helper_unknown: &'static str,
    pub(super) trust: &'static str,
    pub(super) download_windows: &'static str,
    pub(super) download_linux: &'static str,
    pub(super) other_system: &'static str,
    pub(super) no_program: &'static str,
    pub(super) no_system: &'static str,
    pub(super) steps: &'static str,
    pub(super) open_chrome: &'static str,
    pub(super) open_edge: &'static str,
    pub(super) open_firefox: &'static str,
    pub(super) open_other: &'static str,
    pub(super) open_linux: &'static str,
    pub(super) run_windows: &'static str,
    pub(super) allow: &'static str,
    pub(super) progress: &'static str,
    pub(super) step_download: &'static str,
    pub(super) step_connect: &'static str,
    pub(super) step_accept: &'static str,
    pub(super) step_finish: &'static str,
    pub(super) phase_open: &'static str,
    pub(super) phase_downloaded: &'static str,
    pub(super) phase_connected: &'static str,
    pub(super) phase_accepted: &'static str,
    pub(super) phase_finished: &'static str,
    pub(super) phase_refused: &'static str,
    pub(super) phase_cancelled: &'static str,
    pub(super) offline: &'static str,
    pub(super) chat: &'static str,
    pub(super) message: &'static str,
    pub(super) send: &'static str,
    pub(super) you: &'static str,
    pub(super) not_sent: &'static str,
    pub(super) another: &'static str,
    pub(super) no_code: &'static str,
    pub(super) have_code: &'static str,
    pub(super) request: &'static str,
    pub(super) request_lead: &'static str,
    pub(super) name: &'static str,
    pub(super) request_message: &'static str,
    pub(super) request_send: &'static str,
    pub(super) request_empty: &'static str,
    pub(super) request_full: &'static str,
    pub(super) after_hours: &'static str,
    pub(super) hours: &'static str,
    pub(super) days: [&'static str; 7],
}

static ENGLISH: Words = Words {
    lang: "en",
    title: "Get help",
    enter: "Enter your code",
    enter_lead: "Your technician gives you a code of five or six digits.",
    code: "Support code",
    go_on: "Continue",
    not_active: "This code is not active. Check the digits, or ask your technician for a new one.",
    wait: "Too many wrong codes came from your network. Please wait {} seconds and try again, or ask your technician for a link.",
    working: "One moment: your browser is proving that it is not guessing codes.",
    no_script_work: "Many wrong codes are being tried right now. Turn on JavaScript and try again, or ask your technician for a link.",
    failed: "That did not work. Please try again in a moment.",
    helper: "{} will help you.",
    helper_unknown: "A technician will help you.",
    trust: "Go on only if you called them, or asked them to call you.",
    download_windows: "Download for Windows",
    download_linux: "Download for Linux",
    other_system: "For another system:",
    no_program: "The program cannot be downloaded at the moment. Please tell your technician.",
    no_system: "There is no program for this device. Open this page on the computer that needs help.",
    steps: "What to do",
    open_chrome: "Click the file at the top right of the window to open it.",
    open_edge: "Under Downloads, at the top right, choose Open file.",
    open_firefox: "Click the arrow at the top right, then the file.",
    open_other: "Open the file in your Downloads folder.",
    open_linux: "Allow the file to be run (its properties, or chmod +x) and open it.",
    run_windows: "If Windows asks whether to run the file, check its name and agree.",
    allow: "A small window asks what your technician may do. Nothing is seen or touched before you allow it.",
    progress: "Progress",
    step_download: "Downloaded",
    step_connect: "Connected",
    step_accept: "Accepted",
    step_finish: "Finished",
    phase_open: "Ready: download the program.",
    phase_downloaded: "Downloaded. Open the file now.",
    phase_connected: "You are connected. Your technician will let you in.",
    phase_accepted: "Your technician is with you. You can stop at any time.",
    phase_finished: "Finished. The program has removed itself; you can close this page.",
    phase_refused: "Your technician could not take you now. Please ask for a new code.",
    phase_cancelled: "This code was taken back or is out of date. Please ask for a new one.",
    offline: "The server cannot be reached. Trying again…",
    chat: "Write to your technician",
    message: "Message",
    send: "Send",
    you: "You",
    not_sent: "Not sent. Please try again.",
    another: "Use another code",
    no_code: "No code? Ask for help here.",
    have_code: "I have a code",
    request: "Ask for help",
    request_lead: "Write what it is about. The first technician who is free answers you on the next page.",
    name: "Your name",
    request_message: "What is it about?",
    request_send: "Ask for help",
    request_empty: "Please write your name and what it is about.",
    request_full: "Too many are waiting right now. Please call, or try again in some minutes.",
    after_hours: "Nobody is there right now. Leave a message with how we can reach you, and we will call you back.",
    hours: "Somebody is there:",
    days: ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
};

static SPANISH: Words = Words {
    lang: "es",
    title: "Obtener ayuda",
    enter: "Introduzca su código",
    enter_lead: "Su técnico le da un código de cinco o seis cifras.",
    code: "Código de asistencia",
    go_on: "Continuar",
    not_active: "Este código no está activo. Compruebe las cifras o pida uno nuevo a su técnico.",
    wait: "Llegaron demasiados códigos erróneos desde su red. Espere {} segundos y vuelva a intentarlo, o pida un enlace a su técnico.",
    working: "Un momento: su navegador demuestra que no está adivinando códigos.",
    no_script_work: "Ahora se prueban muchos códigos erróneos. Active JavaScript y vuelva a intentarlo, o pida un enlace a su técnico.",
    failed: "No ha funcionado. Vuelva a intentarlo en un momento.",
    helper: "{} le ayudará.",
    helper_unknown: "Un técnico le ayudará.",
    trust: "Continúe solo si usted llamó, o pidió que le llamaran.",
    download_windows: "Descargar para Windows",
    download_linux: "Descargar para Linux",
    other_system: "Para otro sistema:",
    no_program: "El programa no se puede descargar en este momento. Avise a su técnico.",
    no_system: "No hay programa para este dispositivo. Abra esta página en el ordenador que necesita ayuda.",
    steps: "Qué hacer",
    open_chrome: "Haga clic en el archivo, arriba a la derecha de la ventana, para abrirlo.",
    open_edge: "En Descargas, arriba a la derecha, elija Abrir archivo.",
    open_firefox: "Haga clic en la flecha de arriba a la derecha y después en el archivo.",
    open_other: "Abra el archivo en su carpeta de descargas.",
    open_linux: "Permita ejecutar el archivo (en sus propiedades, o con chmod +x) y ábralo.",
    run_windows: "Si Windows pregunta si desea ejecutar el archivo, compruebe el nombre y acepte.",
    allow: "Una pequeña ventana pregunta qué puede hacer su técnico. Nada se ve ni se toca antes de que usted lo permita.",
    progress: "Progreso",
    step_download: "Descargado",
    step_connect: "Conectado",
    step_accept: "Aceptado",
    step_finish: "Terminado",
    phase_open: "Listo: descargue el programa.",
    phase_downloaded: "Descargado. Abra ahora el archivo.",
    phase_connected: "Está conectado. Su técnico le atenderá enseguida.",
    phase_accepted: "Su técnico está con usted. Puede parar en cualquier momento.",
    phase_finished: "Terminado. El programa se ha eliminado; puede cerrar esta página.",
    phase_refused: "Su técnico no puede atenderle ahora. Pida un código nuevo.",
    phase_cancelled: "Este código se retiró o ha caducado. Pida uno nuevo.",
    offline: "No se puede contactar con el servidor. Se intenta de nuevo…",
    chat: "Escriba a su técnico",
    message: "Mensaje",
    send: "Enviar",
    you: "Usted",
    not_sent: "No se ha enviado. Vuelva a intentarlo.",
    another: "Usar otro código",
    no_code: "¿Sin código? Pida ayuda aquí.",
    have_code: "Tengo un código",
    request: "Pedir ayuda",
    request_lead: "Escriba de qué se trata. El primer técnico libre le responderá en la página siguiente.",
    name: "Su nombre",
    request_message: "¿De qué se trata?",
    request_send: "Pedir ayuda",
    request_empty: "Escriba su nombre y de qué se trata.",
    request_full: "Ahora esperan demasiadas personas. Llame por teléfono o inténtelo dentro de unos minutos.",
    after_hours: "Ahora no hay nadie. Deje un mensaje y diga cómo localizarle, y le llamaremos.",
    hours: "Le atendemos:",
    days: ["lun", "mar", "mié", "jue", "vie", "sáb", "dom"],
};

static GERMAN: Words = Words {
    lang: "de",
    title: "Hilfe bekommen",
    enter: "Code eingeben",
    enter_lead: "Sie bekommen von Ihrem Techniker einen Code mit fünf oder sechs Ziffern.",
    code: "Support-Code",
    go_on: "Weiter",
    not_active: "Dieser Code ist nicht aktiv. Prüfen Sie die Ziffern, oder bitten Sie um einen neuen.",
    wait: "Aus Ihrem Netz kamen zu viele falsche Codes. Bitte warten Sie {} Sekunden und versuchen Sie es noch einmal, oder bitten Sie um einen Link.",
    working: "Einen Augenblick: Ihr Browser zeigt, dass er keine Codes rät.",
    no_script_work: "Gerade werden viele falsche Codes probiert. Schalten Sie JavaScript ein und versuchen Sie es noch einmal, oder bitten Sie um einen Link.",
    failed: "Das hat nicht geklappt. Bitte versuchen Sie es gleich noch einmal.",
    helper: "{} wird Ihnen helfen.",
    helper_unknown: "Ein Techniker wird Ihnen helfen.",
    trust: "Machen Sie nur weiter, wenn Sie selbst angerufen oder um den Anruf gebeten haben.",
    download_windows: "Für Windows herunterladen",
    download_linux: "Für Linux herunterladen",
    other_system: "Für ein anderes System:",
    no_program: "Das Programm kann gerade nicht heruntergeladen werden. Bitte sagen Sie es Ihrem Techniker.",
    no_system: "Für dieses Gerät gibt es kein Programm. Öffnen Sie diese Seite auf dem Computer, der Hilfe braucht.",
    steps: "Was zu tun ist",
    open_chrome: "Klicken Sie oben rechts im Fenster auf die Datei, um sie zu öffnen.",
    open_edge: "Wählen Sie oben rechts unter Downloads „Datei öffnen“.",
    open_firefox: "Klicken Sie oben rechts auf den Pfeil und dann auf die Datei.",
    open_other: "Öffnen Sie die Datei in Ihrem Ordner Downloads.",
    open_linux: "Erlauben Sie, die Datei auszuführen (in ihren Eigenschaften oder mit chmod +x), und öffnen Sie sie.",
    run_windows: "Fragt Windows, ob die Datei ausgeführt werden soll: Prüfen Sie den Namen und stimmen Sie zu.",
    allow: "Ein kleines Fenster fragt, was Ihr Techniker darf. Vorher wird nichts gesehen und nichts berührt.",
    progress: "Stand",
    step_download: "Heruntergeladen",
    step_connect: "Verbunden",
    step_accept: "Angenommen",
    step_finish: "Fertig",
    phase_open: "Bereit: Laden Sie das Programm herunter.",
    phase_downloaded: "Heruntergeladen. Öffnen Sie jetzt die Datei.",
    phase_connected: "Sie sind verbunden. Ihr Techniker lässt Sie gleich herein.",
    phase_accepted: "Ihr Techniker ist bei Ihnen. Sie können jederzeit aufhören.",
    phase_finished: "Fertig. Das Programm hat sich entfernt; Sie können diese Seite schließen.",
    phase_refused: "Ihr Techniker kann Ihnen gerade nicht helfen. Bitten Sie um einen neuen Code.",
    phase_cancelled: "Dieser Code wurde zurückgezogen oder ist abgelaufen. Bitten Sie um einen neuen.",
    offline: "Der Server ist nicht erreichbar. Nächster Versuch…",
    chat: "Ihrem Techniker schreiben",
    message: "Nachricht",
    send: "Senden",
    you: "Sie",
    not_sent: "Nicht gesendet. Bitte versuchen Sie es noch einmal.",
    another: "Anderen Code verwenden",
    no_code: "Kein Code? Hier um Hilfe bitten.",
    have_code: "Ich habe einen Code",
    request: "Um Hilfe bitten",
    request_lead: "Schreiben Sie, worum es geht. Wer von uns zuerst frei ist, antwortet Ihnen auf der nächsten Seite.",
    name: "Ihr Name",
    request_message: "Worum geht es?",
    request_send: "Um Hilfe bitten",
    request_empty: "Bitte schreiben Sie Ihren Namen und worum es geht.",
    request_full: "Gerade warten zu viele. Bitte rufen Sie an, oder versuchen Sie es in einigen Minuten noch einmal.",
    after_hours: "Gerade ist niemand da. Hinterlassen Sie eine Nachricht und wie wir Sie erreichen; wir melden uns.",
    hours: "Wir sind erreichbar:",
    days: ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"],
};

static FRENCH: Words = Words {
    lang: "fr",
    title: "Obtenir de l’aide",
    enter: "Saisissez votre code",
    enter_lead: "Votre technicien vous donne un code de cinq ou six chiffres.",
    code: "Code d’assistance",
    go_on: "Continuer",
    not_active: "Ce code n’est pas actif. Vérifiez les chiffres ou demandez-en un nouveau.",
    wait: "Trop de codes erronés viennent de votre réseau. Attendez {} secondes et réessayez, ou demandez un lien à votre technicien.",
    working: "Un instant : votre navigateur prouve qu’il ne devine pas de codes.",
    no_script_work: "Beaucoup de codes erronés sont essayés en ce moment. Activez JavaScript et réessayez, ou demandez un lien à votre technicien.",
    failed: "Cela n’a pas fonctionné. Réessayez dans un instant.",
    helper: "{} va vous aider.",
    helper_unknown: "Un technicien va vous aider.",
    trust: "Continuez seulement si vous avez appelé ou demandé à être appelé.",
    download_windows: "Télécharger pour Windows",
    download_linux: "Télécharger pour Linux",
    other_system: "Pour un autre système :",
    no_program: "Le programme ne peut pas être téléchargé pour le moment. Prévenez votre technicien.",
    no_system: "Il n’y a pas de programme pour cet appareil. Ouvrez cette page sur l’ordinateur à dépanner.",
    steps: "Que faire",
    open_chrome: "Cliquez sur le fichier en haut à droite de la fenêtre pour l’ouvrir.",
    open_edge: "Dans Téléchargements, en haut à droite, choisissez Ouvrir le fichier.",
    open_firefox: "Cliquez sur la flèche en haut à droite, puis sur le fichier.",
    open_other: "Ouvrez le fichier dans votre dossier Téléchargements.",
    open_linux: "Autorisez l’exécution du fichier (dans ses propriétés ou avec chmod +x) et ouvrez-le.",
    run_windows: "Si Windows demande s’il faut exécuter le fichier, vérifiez son nom et acceptez.",
    allow: "Une petite fenêtre demande ce que votre technicien peut faire. Rien n’est vu ni touché avant votre accord.",
    progress: "Progression",
    step_download: "Téléchargé",
    step_connect: "Connecté",
    step_accept: "Accepté",
    step_finish: "Terminé",
    phase_open: "Prêt : téléchargez le programme.",
    phase_downloaded: "Téléchargé. Ouvrez maintenant le fichier.",
    phase_connected: "Vous êtes connecté. Votre technicien va vous accueillir.",
    phase_accepted: "Votre technicien est avec vous. Vous pouvez arrêter à tout moment.",
    phase_finished: "Terminé. Le programme s’est supprimé ; vous pouvez fermer cette page.",
    phase_refused: "Votre technicien ne peut pas vous aider maintenant. Demandez un nouveau code.",
    phase_cancelled: "Ce code a été retiré ou a expiré. Demandez-en un nouveau.",
    offline: "Le serveur est injoignable. Nouvel essai…",
    chat: "Écrire à votre technicien",
    message: "Message",
    send: "Envoyer",
    you: "Vous",
    not_sent: "Non envoyé. Réessayez.",
    another: "Utiliser un autre code",
    no_code: "Pas de code ? Demandez de l’aide ici.",
    have_code: "J’ai un code",
    request: "Demander de l’aide",
    request_lead: "Écrivez de quoi il s’agit. Le premier technicien libre vous répondra sur la page suivante.",
    name: "Votre nom",
    request_message: "De quoi s’agit-il ?",
    request_send: "Demander de l’aide",
    request_empty: "Écrivez votre nom et de quoi il s’agit.",
    request_full: "Trop de personnes attendent en ce moment. Appelez, ou réessayez dans quelques minutes.",
    after_hours: "Il n’y a personne en ce moment. Laissez un message et dites comment vous joindre, nous vous rappellerons.",
    hours: "Nous sommes joignables :",
    days: ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."],
};

/// Most languages of a browser that are looked at.
const MAX_LANGUAGES: usize = 16;

/// The words in the language that the browser likes best; English otherwise.
pub(super) fn words(headers: &HeaderMap) -> &'static Words {
    let asked = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let mut best: (f32, &Words) = (0.0, &ENGLISH);
    for entry in asked.split(',').take(MAX_LANGUAGES) {
        let (tag, weight) = entry.split_once(';').unwrap_or((entry, ""));
        let weight = weight.trim().strip_prefix("q=");
        let weight: f32 = weight.map_or(1.0, |text| text.parse().unwrap_or(0.0));
        let language = tag.trim().split('-').next().unwrap_or_default();
        let known = [&ENGLISH, &SPANISH, &GERMAN, &FRENCH]
            .into_iter()
            .find(|words| words.lang.eq_ignore_ascii_case(language));
        if let Some(words) = known
            && weight > best.0
        {
            best = (weight, words);
        }
    }
    best.1
}

/// `sentence` with a name in its place.
pub(super) fn with(sentence: &str, name: &str) -> String {
    sentence.replacen("{}", name, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speaks_the_language_that_the_browser_likes_best() {
        let table = [
            ("de-DE,de;q=0.9,en;q=0.8", "de"),
            ("pt-BR,fr;q=0.5,es;q=0.7", "es"),
            ("FR-ca", "fr"),
            ("ja", "en"),
            ("de;q=0,en;q=0.1", "en"),
            ("", "en"),
            (";;q=,,", "en"),
        ];
        for (asked, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, asked.parse().expect("a header"));
            assert_eq!(words(&headers).lang, expected, "{asked:?}");
        }
        assert_eq!(words(&HeaderMap::new()).lang, "en");
    }

    #[test]
    fn names_have_their_place_in_every_language() {
        for words in [&ENGLISH, &SPANISH, &GERMAN, &FRENCH] {
            assert!(words.helper.contains("{}") && words.wait.contains("{}"));
        }
    }
}

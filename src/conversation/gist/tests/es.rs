use super::{no_wishes, wishes};

#[test]
fn wishes_for_a_human() {
    wishes(
        "es",
        &[
            "Quiero hablar con una persona",
            "quiero hablar con un humano",
            "¿Puedo hablar con un técnico?",
            "Necesito hablar con alguien de soporte",
            "Agente por favor",
            "humano",
            "Por favor, pásame con un agente",
            "¿Me puede comunicar con un asesor?",
            "Me gustaría hablar con una persona real",
            "Quiero un agente",
            "Necesito un técnico",
            "hablar con una persona",
            "¿Podría atenderme una persona?",
            "Quiero que me atienda una persona",
            "Conéctame con un operador",
            "ponme en contacto con un técnico",
            "No quiero un bot, quiero hablar con una persona de verdad",
            "¿Hay una persona con quien hablar?",
            "Prefiero hablar con un humano",
            "Quisiera comunicarme con un representante",
            "No, quiero un humano",
            "dame un agente humano",
            "¿cómo puedo hablar con una persona?",
            "Transfiéreme a un agente ya",
        ],
    );
}

#[test]
fn no_wishes_for_a_human() {
    no_wishes(
        "es",
        &[
            "No quiero hablar con una persona todavía",
            "no necesito un técnico",
            "El portal de recursos humanos no funciona",
            "El agente de copias de seguridad falla",
            "Necesito hablar con la persona encargada de nóminas pero Teams no va",
            "El técnico vino ayer y sigue igual",
            "Quiero un agente de viajes en la intranet",
            "Cuando quiero hablar con una persona en Teams no hay sonido",
            "¿Tengo que hablar con un técnico para eso?",
            "¿Eres humano?",
            "Fue un error humano",
            "Necesito dar de alta a una persona en el sistema",
            "Quiero añadir una persona al grupo",
            "Mi agente de correo no arranca",
            "¿Alguien me puede ayudar?",
            "La impresora no imprime",
            "Hablé con un agente ayer",
            "Antes de hablar con un humano, ¿puedes mirar mi VPN?",
            "necesito la dirección de una persona",
            "Quiero instalar el agente",
            "Sin hablar con un agente, ¿puedo cambiar la contraseña?",
            "El representante de ventas no puede entrar",
            "persona de contacto en el directorio equivocada",
            "no hace falta pasarme con un agente",
        ],
    );
}

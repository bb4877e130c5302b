use super::{no_wishes, wishes};

#[test]
fn wishes_for_a_human() {
    wishes(
        "fr",
        &[
            "Je veux parler à un humain",
            "Je voudrais parler à une vraie personne",
            "Puis-je parler à un technicien ?",
            "Un conseiller svp",
            "humain",
            "Pouvez-vous me mettre en relation avec un technicien ?",
            "mettez-moi en relation avec un agent",
            "Passez-moi un conseiller",
            "J’aimerais parler à quelqu’un du support",
            "J'ai besoin d'un technicien",
            "Il me faut un technicien",
            "parler à un humain",
            "Est-ce qu'un technicien peut m'aider ?",
            "Y a-t-il une vraie personne ici ?",
            "Je souhaite échanger avec un conseiller",
            "Transférez-moi à un agent",
            "Non, je veux un humain",
            "Je ne veux pas d'un robot, je veux un humain",
            "Comment parler à un humain ?",
            "Je préfère parler à quelqu'un",
            "Est-ce que je peux parler au service informatique ?",
            "Donnez-moi un humain !",
            "un technicien, s'il vous plaît",
            "Je veux qu'un technicien me rappelle",
        ],
    );
}

#[test]
fn no_wishes_for_a_human() {
    no_wishes(
        "fr",
        &[
            "Je ne veux pas parler à un humain",
            "Je n'ai pas besoin d'un technicien",
            "Le portail des ressources humaines est en panne",
            "Mon agent de sauvegarde plante",
            "Personne ne répond",
            "Je veux parler à personne",
            "Le technicien est passé hier",
            "Quand je veux parler à une personne sur Teams, il n'y a pas de son",
            "Dois-je parler à un technicien pour cela ?",
            "Êtes-vous humain ?",
            "C'est une erreur humaine",
            "Je voudrais ajouter une personne au groupe",
            "J'ai besoin de l'agent antivirus",
            "Installez l'agent s'il vous plaît sur mon poste",
            "Quelqu'un peut m'aider ?",
            "L'imprimante ne marche plus",
            "Avant de parler à un technicien, regardez mon VPN",
            "Je veux un agent de messagerie",
            "Inutile de me mettre en relation avec un technicien",
            "J'ai parlé à un agent hier",
            "Sans parler à un humain, puis-je changer mon mot de passe ?",
            "Le conseiller commercial n'a plus accès au CRM",
            "Je veux une personne de plus dans la liste",
            "le support de mon écran est cassé",
        ],
    );
}

"""What people said, and what a careful summary says of it: written for these tests."""

STORIES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        (
            "2024-02-11: Ingrid: I finally quit at Norvik Shipping, after 9 years!",
            "2024-02-11: Ingrid: From March 4 on I'm with a small bakery in Bergen, Solbrød.",
            "2024-02-12: Tomas: wow, 9 years... and the pay?",
            "2024-02-12: Ingrid: 320,000 kroner, so much less. But mornings with my daughter "
            "Liv, she's 6.",
        ),
        (
            "Ingrid left Norvik Shipping after nine years.",
            "She starts at Solbrød, a bakery in Bergen, on 4 March.",
            "Her new salary is 320 000 kroner, which is lower than before.",
            "Tomas was curious about the pay.",
            "Spending mornings with her daughter matters to Ingrid.",
            "Liv is six years old.",
            "Ingrid told Tomas about her decision on February 11, 2024.",
            "The conversation took place in February 2024.",
            "Overall, Ingrid trades income for family time.",
            "Having worked nine years in shipping, she now turns to baking.",
        ),
    ),
    (
        (
            "2023-07-02: Dev: booked the Ladakh trip, 14 days, leaving Aug 19th from Delhi",
            "2023-07-02: Dev: the Royal Enfield is rented, 1,800 rupees a day",
            "2023-07-05: Asha: take altitude pills. Leh is at 3,500 m!",
            "2023-07-05: Dev: Kabir comes too, he did the Khardung La twice",
        ),
        (
            "Dev has planned a two-week motorbike trip to Ladakh.",
            "The journey begins in Delhi on August 19.",
            "It will take 14 days.",
            "He rented a Royal Enfield for 1800 rupees per day.",
            "Asha advised him to take pills against altitude sickness.",
            "Leh lies at 3500 metres.",
            "Kabir will join Dev.",
            "Kabir has already crossed the Khardung La twice.",
            "Asha seems worried about the altitude.",
            "Planning the trip excites Dev.",
        ),
    ),
    (
        (
            "2025-01-20: user: My knee surgery at St Thomas' was moved to Friday the 31st.",
            "2025-01-20: assistant: I see. Who will drive you home?",
            "2025-01-20: user: my brother Callum. I'm allergic to penicillin, tell Dr Osei again.",
            "2025-01-22: user: physio starts 3 weeks later, with Maja, 45 minutes each.",
        ),
        (
            "The user's knee surgery was postponed to Friday, 31 January.",
            "It takes place at St Thomas'.",
            "Callum, the user's brother, will drive.",
            "The user has a penicillin allergy that Dr Osei must know of.",
            "Physiotherapy begins three weeks after the operation.",
            "Each session with Maja lasts 45 minutes.",
            "The user wants Dr Osei to be reminded.",
            "Recovery is planned carefully.",
            "Someone from the family takes care of transport.",
            "Maja is the physiotherapist.",
        ),
    ),
    (
        (
            "2022-11-05: Priscilla: our choir sings Fauré's Requiem on the 26th at Holy Cross",
            "2022-11-05: Bernadette: tickets?",
            "2022-11-05: Priscilla: 12 euros, 8 for students. Henrik conducts, 60 voices!",
            "2022-11-27: Bernadette: It was glorious, the Pie Jesu made Oskar cry. 250 people"
            " at least.",
        ),
        (
            "Priscilla's choir performed Fauré's Requiem at Holy Cross.",
            "The concert was on 26 November 2022.",
            "Tickets cost 12 euros, or eight for students.",
            "Henrik conducted sixty voices.",
            "Bernadette found the evening glorious.",
            "Oskar wept during the Pie Jesu.",
            "At least 250 people attended.",
            "Music moves Oskar deeply.",
            "Before the concert, Bernadette asked about tickets.",
            "Singing in a choir is important to Priscilla.",
        ),
    ),
    (
        (
            "2024-09-01: Yusuf: moved to Rotterdam last week, Zwaanshals 118, third floor, no lift",
            "2024-09-01: Yusuf: rent is 1.150 euro, shared with Pim and Noor",
            "2024-09-03: Yusuf: started the master's at Erasmus, 2 years, econometrics",
            "2024-09-10: Yusuf: bike number two stolen already :(",
        ),
        (
            "Yusuf lives in Rotterdam now, at Zwaanshals 118.",
            "His flat is on the 3rd floor.",
            "He shares it with Pim and Noor.",
            "The rent amounts to 1150 euros.",
            "Yusuf studies econometrics at Erasmus.",
            "The master's programme takes two years.",
            "His bicycle was stolen, and it was not the first time.",
            "He moved at the end of August 2024 or shortly before.",
            "Studying brought Yusuf to Rotterdam.",
            "There is no lift in the building.",
        ),
    ),
    (
        (
            "2023-12-24: Grandma Odile: the recipe: 500 g flour, 3 eggs, zest of 2 lemons, 40"
            " min at 180",
            "2023-12-24: Camille: Merci! For Réveillon with Luc and the twins",
            "2023-12-26: Camille: Odile, the madeleines were gone in 10 minutes. Luc wants "
            "them on his birthday, Jan 15",
            "2023-12-26: Grandma Odile: come to Annecy, I'll show you the trick",
        ),
        (
            "Odile gave Camille a recipe for madeleines.",
            "It needs 500 grams of flour and three eggs.",
            "They bake for 40 minutes at 180 degrees.",
            "The zest of two lemons goes in as well.",
            "Camille made them for Luc and the twins.",
            "All were eaten within ten minutes.",
            "Luc would like madeleines for his birthday on 15 January.",
            "Odile lives in Annecy and invited Camille.",
            "The family celebrated Réveillon together.",
            "Cooking connects Camille with her grandmother.",
        ),
    ),
    (
        (
            "2024-05-14: Mei: Project Heron ships June 30, we have 7 open bugs",
            "2024-05-14: Raj: 4 of them are mine, the worst is the login loop on Safari",
            "2024-05-16: Mei: Olga from QA found another in build 2.14",
            "2024-05-17: Raj: login fixed. Friday I'm off, daughter's recital",
        ),
        (
            "Project Heron is due on 30 June.",
            "Seven bugs were open on May 14.",
            "Raj is responsible for four of them.",
            "The most serious one was a login loop in Safari.",
            "Olga, who works in QA, discovered another problem in build 2.14.",
            "Raj solved the login problem.",
            "On Friday Raj attends his daughter's recital.",
            "Mei keeps track of the release.",
            "Quality matters to Mei's team.",
            "Raj takes Friday off.",
        ),
    ),
    (
        (
            "2021-03-08: Wambui: planted 2 rows of sukuma and 15 tomato seedlings behind the "
            "house in Nyeri",
            "2021-03-08: Wambui: the rains are late, carrying 20 litres from the Chania every"
            " evening",
            "2021-04-19: Wambui: first tomatoes! Sold 6 kg to Mama Njeri, 90 bob a kilo",
            "2021-04-20: Kip: you should come to the Saturday market in Karatina",
        ),
        (
            "Wambui grows sukuma and tomatoes behind her house in Nyeri.",
            "She planted fifteen tomato seedlings and two rows of sukuma.",
            "Because the rains were late, she carried twenty litres of water each evening.",
            "The water came from the Chania.",
            "In April 2021 she harvested her first tomatoes.",
            "Mama Njeri bought six kilos at 90 bob each.",
            "Kip suggested the Saturday market in Karatina.",
            "Gardening earns Wambui some money.",
            "She works hard for her garden.",
            "Her first seeds went into the ground on March 8.",
        ),
    ),
    (
        (
            "2020-10-02: Lena: Opa turned 90, we were 34 people in Graz, uncle Reinhold flew "
            "in from Perth",
            "2020-10-02: Lena: he told about the winter of 1945 and the train from Brno, I "
            "recorded 2 hours",
            "2020-10-09: Lena: transcribed 11 pages so far. Who's Hedwig? He names her 5 times",
            "2020-10-09: Franz: his first fiancée. She went to Montevideo",
        ),
        (
            "Lena's grandfather celebrated his 90th birthday in Graz.",
            "Thirty-four people came.",
            "Reinhold travelled from Perth.",
            "Opa spoke of the winter of 1945 and of a train from Brno.",
            "Lena recorded two hours of his stories.",
            "She has transcribed 11 pages.",
            "Hedwig was his first fiancée, as Franz explained.",
            "Hedwig emigrated to Montevideo.",
            "Her grandfather mentions Hedwig five times.",
            "Family history fascinates Lena.",
        ),
    ),
    (
        (
            "2024-06-21: Sione: ran the Auckland half in 1:52, 4 minutes better than 2022",
            "2024-06-21: Talia: legend! Next the full one?",
            "2024-06-22: Sione: Queenstown on Nov 16, Coach Marama wants 5 runs a week, 60 km",
            "2024-07-30: Sione: shin splints. Two weeks off, Marama says swim",
        ),
        (
            "Sione finished the Auckland half marathon in 1:52.",
            "That was four minutes faster than in 2022.",
            "Talia congratulated him.",
            "His next goal is Queenstown on 16 November.",
            "Marama, his coach, demands five runs and 60 km a week.",
            "In late July 2024 he had shin splints.",
            "He must rest for two weeks.",
            "Marama recommended swimming.",
            "Injuries slow Sione down for a while.",
            "Running a full marathon is what Talia asked about.",
        ),
    ),
)

WRONG_NAMES = ("Marcus", "Gwendolyn", "Porto", "Siemens", "Tanaka", "Belgrade", "Esperanza")
WRONG_NUMBERS = ("17", "73", "2,600", "eleven", "19", "1987", "0.8")

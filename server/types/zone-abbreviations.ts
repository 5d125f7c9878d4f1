/*
 * What the zones of tzdata (2025b) are called, for the date styles that print a name instead of an offset (SQL, Postgres,
 * German): Intl has offsets but not these names. An entry says for one or more zones what an offset (seconds east) is called;
 * where the name changed, since 1970, the instants of the changes stand between the names. `-` and offsets and zones that are
 * missing have no letters in tzdata: they are called by their offset (`+03`).
 */
const NAMES = `
CET+3600 CEST+7200 =
  Africa/Tunis Arctic/Longyearbyen Atlantic/Jan_Mayen CET Europe/Amsterdam Europe/Andorra
  Europe/Belgrade Europe/Berlin Europe/Bratislava Europe/Brussels Europe/Budapest Europe/Busingen
  Europe/Copenhagen Europe/Gibraltar Europe/Ljubljana Europe/Luxembourg Europe/Madrid Europe/Malta
  Europe/Monaco Europe/Oslo Europe/Paris Europe/Podgorica Europe/Prague Europe/Rome
  Europe/San_Marino Europe/Sarajevo Europe/Skopje Europe/Stockholm Europe/Tirane Europe/Vaduz
  Europe/Vatican Europe/Vienna Europe/Warsaw Europe/Zagreb Europe/Zurich Poland
GMT+0 =
  Africa/Abidjan Africa/Accra Africa/Bamako Africa/Banjul Africa/Bissau Africa/Conakry
  Africa/Dakar Africa/Freetown Africa/Lome Africa/Monrovia Africa/Nouakchott Africa/Ouagadougou
  Africa/Timbuktu America/Danmarkshavn Atlantic/Reykjavik Atlantic/St_Helena Etc/GMT Etc/GMT+0
  Etc/GMT-0 Etc/GMT0 Etc/Greenwich GMT GMT+0 GMT-0 GMT0 Greenwich Iceland
AST-14400 =
  America/Anguilla America/Antigua America/Aruba America/Blanc-Sablon America/Curacao
  America/Dominica America/Grenada America/Guadeloupe America/Kralendijk America/Lower_Princes
  America/Marigot America/Miquelon America/Montserrat America/Port_of_Spain America/Puerto_Rico
  America/St_Barthelemy America/St_Kitts America/St_Lucia America/St_Thomas America/St_Vincent
  America/Tortola America/Virgin
EST-18000 EDT-14400 =
  America/Detroit America/Fort_Wayne America/Indiana/Indianapolis America/Indiana/Vevay
  America/Indianapolis America/Jamaica America/Montreal America/Nassau America/New_York
  America/Nipigon America/Port-au-Prince America/Thunder_Bay America/Toronto Canada/Eastern
  EST5EDT Jamaica US/East-Indiana US/Eastern US/Michigan
CST-21600 CDT-18000 =
  America/Belize America/Chicago America/Costa_Rica America/El_Salvador America/Guatemala
  America/Matamoros America/Mexico_City America/Monterrey America/Rainy_River America/Tegucigalpa
  America/Winnipeg CST6CDT Canada/Central Mexico/General US/Central
AEST+36000 AEDT+39600 =
  Antarctica/Macquarie Australia/ACT Australia/Brisbane Australia/Canberra Australia/Currie
  Australia/Hobart Australia/Lindeman Australia/Melbourne Australia/NSW Australia/Queensland
  Australia/Sydney Australia/Tasmania Australia/Victoria
MST-25200 MDT-21600 =
  America/Boise America/Denver America/Edmonton America/Hermosillo America/Mazatlan
  America/Shiprock America/Yellowknife Canada/Mountain MST7MDT Mexico/BajaSur Navajo US/Mountain
EAT+10800 =
  Africa/Addis_Ababa Africa/Asmara Africa/Asmera Africa/Dar_es_Salaam Africa/Djibouti
  Africa/Kampala Africa/Mogadishu Africa/Nairobi Indian/Antananarivo Indian/Comoro Indian/Mayotte
EET+7200 EEST+10800 =
  Africa/Cairo Asia/Beirut Asia/Nicosia EET Egypt Europe/Athens Europe/Bucharest Europe/Helsinki
  Europe/Mariehamn Europe/Nicosia Europe/Sofia
WAT+3600 =
  Africa/Bangui Africa/Brazzaville Africa/Douala Africa/Kinshasa Africa/Lagos Africa/Libreville
  Africa/Luanda Africa/Malabo Africa/Niamey Africa/Porto-Novo
PST-28800 PDT-25200 =
  America/Ensenada America/Los_Angeles America/Santa_Isabel America/Tijuana America/Vancouver
  Canada/Pacific Mexico/BajaNorte PST8PDT US/Pacific
CST+28800 CDT+32400 =
  Asia/Chongqing Asia/Chungking Asia/Harbin Asia/Macao Asia/Macau Asia/Shanghai Asia/Taipei PRC
  ROC
CAT+7200 =
  Africa/Blantyre Africa/Bujumbura Africa/Gaborone Africa/Harare Africa/Kigali Africa/Lubumbashi
  Africa/Lusaka Africa/Maputo
AST-14400 ADT-10800 =
  America/Barbados America/Glace_Bay America/Halifax America/Martinique America/Moncton
  America/Thule Atlantic/Bermuda Canada/Atlantic
GMT+0 BST+3600 =
  Europe/Belfast Europe/Guernsey Europe/Isle_of_Man Europe/Jersey Europe/London GB GB-Eire
EST-18000 =
  America/Atikokan America/Cayman America/Coral_Harbour America/Panama EST
WET+0 WEST+3600 =
  Atlantic/Canary Atlantic/Faeroe Atlantic/Faroe Atlantic/Madeira WET
MST-25200 =
  America/Creston America/Phoenix MST US/Arizona
NZST+43200 NZDT+46800 =
  Antarctica/McMurdo Antarctica/South_Pole NZ Pacific/Auckland
ACST+34200 ACDT+37800 =
  Australia/Adelaide Australia/Broken_Hill Australia/South Australia/Yancowinna
EET+7200 MSK<646783200<EEST+10800 MSD+14400 =
  Europe/Kiev Europe/Kyiv Europe/Uzhgorod Europe/Zaporozhye
HST-36000 =
  HST Pacific/Honolulu Pacific/Johnston US/Hawaii
SST-39600 =
  Pacific/Midway Pacific/Pago_Pago Pacific/Samoa US/Samoa
SAST+7200 =
  Africa/Johannesburg Africa/Maseru Africa/Mbabane
BST-39600 BDT<436363200<AHST<439034400<HST-36000 HDT-32400 =
  America/Adak America/Atka US/Aleutian
CST-21600 CDT<688546800<EST<1143961200<CDT-18000 =
  America/Indiana/Knox America/Knox_IN US/Indiana-Starke
EST<126687600<CDT<152089200<EST-18000 EDT-14400 =
  America/Indiana/Marengo America/Kentucky/Louisville America/Louisville
EET+7200 EEST<267915600<-<482799600<EEST<1473195600<-+10800 =
  Asia/Istanbul Europe/Istanbul Turkey
IST+7200 IDT+10800 =
  Asia/Jerusalem Asia/Tel_Aviv Israel
CAT+7200 CAST<947930400<EAT+10800 =
  Africa/Juba Africa/Khartoum
CET+3600 EET<386463600<CEST<641775600<EET<860108400<CEST<875916000<EET<1364515200<CEST<1382659200<EET+7200 =
  Africa/Tripoli Libya
AHST-36000 AHDT<436359600<YST<439030800<AKST-32400 AKDT-28800 =
  America/Anchorage US/Alaska
MST-25200 CST<891766800<MDT<1667116800<CST-21600 CDT-18000 =
  America/Chihuahua America/Ojinaga
CST-18000 CDT-14400 =
  America/Havana Cuba
CST-21600 EST<954662400<CDT<972802800<EST-18000 EDT-14400 =
  America/Iqaluit America/Pangnirtung
CST-21600 =
  America/Regina Canada/Saskatchewan
NST-12600 NDT-9000 NDDT-5400 =
  America/St_Johns Canada/Newfoundland
PST-28800 PDT<1604214000<MST-25200 =
  America/Whitehorse Canada/Yukon
IST+19800 =
  Asia/Calcutta Asia/Kolkata
IST<820447200<EET+7200 IDT<828655200<EEST+10800 =
  Asia/Gaza Asia/Hebron
HKT+28800 HKST+32400 =
  Asia/Hong_Kong Hongkong
WITA+28800 =
  Asia/Makassar Asia/Ujung_Pandang
KST+32400 KDT+36000 =
  Asia/Seoul ROK
JST+32400 =
  Asia/Tokyo Japan
ACST+34200 =
  Australia/Darwin Australia/North
AEST+36000 =
  Australia/LHI Australia/Lord_Howe
AWST+28800 AWDT+32400 =
  Australia/Perth Australia/West
GMT+0 IST+3600 =
  Eire Europe/Dublin
EET+7200 MSK<641944800<EEST+10800 MSD+14400 =
  Europe/Chisinau Europe/Tiraspol
WET+0 CET<228268800<WEST<717555600<CET<828234000<WEST+3600 CEST+7200 =
  Europe/Lisbon Portugal
EET+7200 MSK<670374000<EEST<695779200<MSK+10800 MSD<1301180400<MSK+14400 =
  Europe/Moscow W-SU
EET+7200 MSK<606870000<EEST+10800 MSD+14400 =
  Europe/Riga Europe/Tallinn
GST<977493600<ChST+36000 GDT+39600 =
  Pacific/Guam Pacific/Saipan
WET+0 WEST<246236400<CET<325468800<WEST<357523200<CET+3600 CEST+7200 =
  Africa/Algiers
WET+0 WEST<448243200<CET+3600 CEST+7200 =
  Africa/Ceuta
WAT+3600 WAST+7200 =
  Africa/Ndjamena
GMT+0 WAT+3600 =
  Africa/Sao_Tome
WAT+3600 SAST<637970400<CAT+7200 =
  Africa/Windhoek
MST-25200 MDT<1288508400<CST-21600 CDT-18000 =
  America/Bahia_Banderas
MST-25200 MDT<941356800<CST<986115600<MDT-21600 CDT<972802800<EST-18000 =
  America/Cambridge_Bay
CST-21600 EST<828864000<CDT<877849200<EST<902037600<CDT<1422777600<EST-18000 EDT-14400 =
  America/Cancun
MST-25200 CST<891766800<MDT<1667116800<CST<1678611600<MDT-21600 CDT-18000 =
  America/Ciudad_Juarez
YST-32400 PST-28800 PDT<1604214000<MST-25200 =
  America/Dawson
PST-28800 PDT<84013200<MST-25200 =
  America/Dawson_Creek
PST-28800 PDT<1425808800<MST-25200 =
  America/Fort_Nelson
AST-14400 ADT-10800 ADDT-7200 =
  America/Goose_Bay
EST-18000 EDT<1425798000<AST<1520751600<EDT-14400 =
  America/Grand_Turk
CST-21600 CDT<247042800<EST<1143961200<CDT<1194159600<EST-18000 EDT-14400 =
  America/Indiana/Petersburg
CST-21600 EST<1143961200<CDT-18000 EDT-14400 =
  America/Indiana/Tell_City
CST-21600 EST<1143961200<CDT<1194159600<EST-18000 EDT-14400 =
  America/Indiana/Vincennes
CST-21600 EST<1143961200<CDT<1194156000<EST-18000 EDT-14400 =
  America/Indiana/Winamac
PST-28800 PDT<309945600<MST-25200 MDT-21600 =
  America/Inuvik
YST<439030800<AKST-32400 PST<325677600<YDT<341402400<PST<452084400<AKDT-28800 PDT-25200 =
  America/Juneau
CST-21600 CDT<972802800<EST-18000 EDT-14400 =
  America/Kentucky/Monticello
CST-21600 EST<290584800<CDT<694260000<EST<1113112800<CDT-18000 =
  America/Managua
CST-21600 EST<104914800<CDT-18000 =
  America/Menominee
CST-21600 EST<828864000<CDT-18000 =
  America/Merida
AKST-32400 PST<1457866800<AKDT<1541325600<PST<1552215600<AKDT-28800 PDT-25200 =
  America/Metlakatla
BST-39600 BDT-36000 YST<439030800<AKST-32400 AKDT-28800 =
  America/Nome
MST-25200 MDT<1289116800<CST-21600 CDT-18000 =
  America/North_Dakota/Beulah
MST-25200 MDT<720000000<CST-21600 CDT-18000 =
  America/North_Dakota/Center
MST-25200 MDT<1067155200<CST-21600 CDT-18000 =
  America/North_Dakota/New_Salem
CST-21600 CDT<972802800<EST<986112000<CDT-18000 =
  America/Rankin_Inlet
CST-21600 CDT<972802800<EST<986112000<CDT<1162105200<EST<1173600000<CDT-18000 =
  America/Resolute
EST-18000 AST-14400 =
  America/Santo_Domingo
YST<439030800<AKST-32400 PST<452084400<AKDT-28800 PDT-25200 =
  America/Sitka
MST-25200 CST-21600 =
  America/Swift_Current
YST<439030800<AKST-32400 YDT<452084400<AKDT-28800 =
  America/Yakutat
EET+7200 EEST<1666908000<-+10800 =
  Asia/Amman
EET+7200 EEST<1666904400<-+10800 =
  Asia/Damascus
EET+7200 EEST<1473282000<-<1521939600<EEST+10800 =
  Asia/Famagusta
WIB+25200 =
  Asia/Jakarta
WIT+32400 =
  Asia/Jayapura
-<38775600<PKT+18000 PKST+21600 =
  Asia/Karachi
PST+28800 PDT+32400 =
  Asia/Manila
WIB+25200 WITA+28800 =
  Asia/Pontianak
KST+30600 KST+32400 =
  Asia/Pyongyang
-<725421600<WET<740278800<-+0 WEST+3600 =
  Atlantic/Azores
EET+7200 MSK<606870000<EEST<1301184000<-+10800 MSD+14400 =
  Europe/Kaliningrad
MSK+10800 -<606866400<MSD<670374000<-<701820000<MSD<1301180400<MSK+14400 =
  Europe/Kirov
EET+7200 MSK<670374000<EEST<1301184000<-+10800 MSD+14400 =
  Europe/Minsk
EET+7200 MSK<701827200<EEST<780447600<MSK<859683600<EEST<1414274400<MSK+10800 MSD<1396137600<MSK+14400 =
  Europe/Simferopol
CET+3600 EET<891133200<CEST<941331600<EET+7200 MSK<606870000<EEST+10800 MSD+14400 =
  Europe/Vilnius
MSK+10800 -<575416800<MSD<670374000<-<701820000<MSD<1301180400<MSK<1540681200<-+14400 =
  Europe/Volgograd
MET+3600 MEST+7200 =
  MET
`

/** Names in order, each with the instant (seconds since 1970) from which on it holds. */
type NameSpans = readonly { readonly from: number; readonly name: string }[]

const spansByZone: ReadonlyMap<string, ReadonlyMap<number, NameSpans>> = new Map(
  NAMES.trim()
    .replaceAll('\n  ', ' ')
    .split('\n')
    .flatMap((line) => {
      const [names = '', zones = ''] = line.split(' = ')
      const byOffset = new Map(names.split(' ').map(spansAndOffset))
      return zones.split(' ').map((zone) => [zone.toLowerCase(), byOffset] as const)
    }),
)

/** Reads `EEST<1666908000<-+10800`. */
function spansAndOffset(entry: string): [number, NameSpans] {
  const [, names = '', offset = ''] = /^(.*?)([+-]\d+)$/.exec(entry) ?? []
  const parts = names.split('<')
  const spans: { from: number; name: string }[] = []
  for (let i = 0; i < parts.length; i += 2) {
    const from = i === 0 ? Number.NEGATIVE_INFINITY : Number(parts[i - 1])
    spans.push({ from, name: parts[i] ?? '' })
  }
  return [Number(offset), spans]
}

/** The letters of a zone at an instant, or undefined where tzdata has none: the offset itself is the name then. */
export function findZoneAbbreviation(
  zone: string,
  offsetSeconds: number,
  epochSeconds: number,
): string | undefined {
  // What is not counted in whole minutes is local mean time; before 1950 a few cities had a name of their own for it.
  if (offsetSeconds % 60 !== 0) return 'LMT'
  const spans = spansByZone.get(zone.toLowerCase())?.get(offsetSeconds)
  const name = spans?.findLast((span) => span.from <= epochSeconds)?.name
  return name === '-' ? undefined : name
}
